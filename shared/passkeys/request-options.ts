import type { Context } from '../context/context';
import { CHALLENGE_MS, newChallenge } from './challenge';

/** `PublicKeyCredentialRequestOptionsJSON` (WebAuthn level 3, section 5.5), for `parseRequestOptionsFromJSON`. */
export interface RequestOptions {
  challenge: string;
  timeout: number;
  rpId: string;
  allowCredentials: never[];
  userVerification: 'required';
}

/**
 * Options to use a passkey, with a challenge for 5 minutes. They name no credentials, so they reveal nothing about users, and
 * the browser offers all passkeys for this service, also in the autofill of a form (conditional mediation).
 */
export async function requestOptions(ctx: Context): Promise<RequestOptions> {
  return {
    challenge: await newChallenge(ctx, null),
    timeout: CHALLENGE_MS,
    rpId: ctx.config.passkeys.id,
    allowCredentials: [],
    userVerification: 'required',
  };
}
