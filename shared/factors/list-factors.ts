import type { Context } from '../context/context';
import type { Caller } from '../sessions/authenticate';
import { getUserToActFor } from '../users/assert-may-act-for';
import { type Factor, listFactorRows } from './factor-store';
import { countRecoveryCodes } from './recovery-code-store';

/** A user's second factors, and how many recovery codes remain. @throws DomainError `not_found` or `forbidden` */
export async function listFactors(
  ctx: Context,
  caller: Caller,
  userId: string,
): Promise<{ factors: Factor[]; recoveryCodes: number }> {
  const { id } = await getUserToActFor(ctx, caller, userId);
  const factors = await listFactorRows(ctx.db, id);
  return { factors, recoveryCodes: await countRecoveryCodes(ctx.db, id) };
}
