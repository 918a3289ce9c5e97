import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { assertMayChangeFactors } from '../factors/assert-may-change-factors';
import type { Caller } from '../sessions/authenticate';
import { CHALLENGE_MS, newChallenge } from './challenge';
import { listCredentials } from './passkey-store';
import { ALGORITHMS } from './public-key';

/** A phone, a laptop, security keys, and few enough to keep an eye on. */
export const MAX_PASSKEYS = 10;

/** `PublicKeyCredentialCreationOptionsJSON` (WebAuthn level 3, section 5.4), for `parseCreationOptionsFromJSON`. */
export interface CreationOptions {
  rp: { id: string; name: string };
  user: { id: string; name: string; displayName: string };
  challenge: string;
  pubKeyCredParams: { type: 'public-key'; alg: number }[];
  timeout: number;
  excludeCredentials: { type: 'public-key'; id: string; transports: string[] }[];
  authenticatorSelection: {
    residentKey: 'required';
    requireResidentKey: true;
    userVerification: 'required';
  };
  attestation: 'none';
}

/**
 * Options to create a passkey of the caller's, with a challenge for this user and 5 minutes.
 * @throws DomainError `too_many_factors`, or as `assertMayChangeFactors` does
 */
export async function creationOptions(ctx: Context, caller: Caller): Promise<CreationOptions> {
  await assertMayChangeFactors(ctx, caller);
  const { user } = caller;
  const existing = await listCredentials(ctx.db, user.id);
  if (existing.length >= MAX_PASSKEYS) throw new DomainError('too_many_factors');
  return {
    rp: { id: ctx.config.passkeys.id, name: ctx.config.mail.appName },
    user: { id: userHandleOf(user.id), name: user.username, displayName: user.displayName ?? user.username },
    challenge: await newChallenge(ctx, user.id),
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: CHALLENGE_MS,
    // The authenticator refuses to make a second passkey for a user who has one in it.
    excludeCredentials: existing.map(({ credentialId, transports }) => ({
      type: 'public-key',
      id: credentialId.toString('base64url'),
      transports,
    })),
    // Discoverable: a login needs no username. Verified: it counts as two factors.
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    attestation: 'none',
  };
}

/** The user handle: the opaque id, because authenticators show it to whoever has them (section 14.6.1). */
export function userHandleOf(userId: string): string {
  return Buffer.from(userId).toString('base64url');
}
