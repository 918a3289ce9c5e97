import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { takeMinorSequence } from '../users/sequence';
import { KEPT_MS } from './export-case';
import { setReady } from './export-store';

/**
 * Marks an export as ready, with `user.export_ready`, once, if no answer can still come in time. The caller has locked or
 * inserted it, and holds a lock on its user.
 * @returns whether it is ready now and was not before
 */
export async function markReadyIfAnswered(
  tx: Tx,
  ctx: Context,
  { id, userId }: { id: string; userId: string },
  origin: Origin,
): Promise<boolean> {
  const now = ctx.now();
  if (!(await setReady(tx, id, now, new Date(now.getTime() + KEPT_MS)))) return false;
  const sequence = await takeMinorSequence(tx, userId);
  if (sequence === null) throw new Error(`The export ${id} has no user`);
  const data = { id: userId, caseId: id };
  await appendEvent(tx, ctx, 'relay', { type: 'user.export_ready', subject: userId, sequence, data, origin });
  return true;
}
