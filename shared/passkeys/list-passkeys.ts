import type { Context } from '../context/context';
import type { Caller } from '../sessions/authenticate';
import { getUserToActFor } from '../users/assert-may-act-for';
import { listPasskeyRows, type Passkey } from './passkey-store';

/** A user's passkeys, the oldest first. @throws DomainError `not_found` or `forbidden` */
export async function listPasskeys(ctx: Context, caller: Caller, userId: string): Promise<Passkey[]> {
  const { id } = await getUserToActFor(ctx, caller, userId);
  return listPasskeyRows(ctx.db, id);
}
