import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertMayChangeFactors } from '../factors/assert-may-change-factors';
import { appendEvent } from '../outbox/event-store';
import { assertStillSignedIn } from '../sessions/assert-still-signed-in';
import type { Caller } from '../sessions/authenticate';
import { addMethods } from '../sessions/session-store';
import { takeMinorSequence } from '../users/sequence';
import { checked } from './ceremony-error';
import { takeChallenge } from './challenge';
import { MAX_PASSKEYS } from './creation-options';
import type { RegistrationResponse } from './fields';
import { insertPasskey, listCredentials, type Passkey } from './passkey-store';
import { PASSKEY_METHODS } from './prove-passkey';
import { verifyRegistration } from './verify-registration';

/** Names such as `internal` and `hybrid`, of which new ones may come. They are hints for the browser and nothing more. */
const TRANSPORT = /^[a-z-]{1,32}$/;
const MAX_TRANSPORTS = 10;

/**
 * Registers a passkey of the caller's. From now on, a login by another way asks for a second factor. The caller's session
 * counts as one with a second factor; the others stay as they are.
 * @throws DomainError `invalid_passkey`, `passkey_taken`, `too_many_factors`, `unauthorized` if the session has ended
 * meanwhile, or as `assertMayChangeFactors` does
 */
export async function addPasskey(
  ctx: Context,
  caller: Caller,
  { name, credential }: { name: string; credential: RegistrationResponse },
  origin: Origin,
): Promise<Passkey> {
  await assertMayChangeFactors(ctx, caller);
  const { user, sessionId } = caller;
  const { challenge, ...verified } = checked('invalid_passkey', () =>
    verifyRegistration(credential, ctx.config.passkeys),
  );
  if (!(await takeChallenge(ctx, challenge, user.id))) {
    throw new DomainError('invalid_passkey', {
      detail: 'The challenge was used, has expired, or was not issued to you',
    });
  }
  const transports = (credential.response.transports ?? []).filter((one) => TRANSPORT.test(one));
  return ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
    if (sequence === null) throw new DomainError('unauthorized');
    await assertStillSignedIn(tx, ctx, caller);
    if ((await listCredentials(tx, user.id)).length >= MAX_PASSKEYS)
      throw new DomainError('too_many_factors');
    const passkey = await insertPasskey(tx, {
      ...verified,
      id: ctx.newId(),
      userId: user.id,
      transports: transports.slice(0, MAX_TRANSPORTS),
      name,
      now: ctx.now(),
    });
    await addMethods(tx, sessionId, PASSKEY_METHODS);
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.passkey_added',
      subject: user.id,
      sequence,
      data: { id: user.id, passkeyId: passkey.id },
      origin,
    });
    return passkey;
  });
}
