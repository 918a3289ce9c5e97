import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { limitRate } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import { type Passkey, renamePasskeyRow } from './passkey-store';

/** Gives a passkey of the caller's another name, which changes nothing else. @throws DomainError `not_found` or `rate_limited` */
export async function renamePasskey(
  ctx: Context,
  { user }: Caller,
  passkeyId: string,
  name: string,
): Promise<Passkey> {
  await limitRate(ctx, [{ limit: 'updateAccount', subject: user.id }]);
  const renamed = await renamePasskeyRow(ctx.db, user.id, passkeyId, name);
  if (!renamed) throw new DomainError('not_found', { detail: 'Passkey not found' });
  return renamed;
}
