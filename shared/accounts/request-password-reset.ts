import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent, withdrawEvent } from '../outbox/event-store';
import { mayMail } from '../rate-limits/limit-mail';
import { takeMinorSequence } from '../users/sequence';
import { findUserIdByEmail } from '../users/user-store';

/** Longer than the work takes, so that its last differences, some 40 µs of 2 ms, do not show either. */
const ANSWER_AFTER_MS = 30;

/**
 * Has a reset link sent to the address, where a user has it. Whether one does shows neither in the answer nor in its
 * time: an unknown address goes through the same statements, with the event of a user who does not exist, which is
 * taken back before the commit. So both write, and both wait for the disk; and neither is answered before a fixed
 * time, which alone would not do where the database is slow. The mail itself is sent later, elsewhere.
 */
export async function requestPasswordReset(ctx: Context, email: string, origin: Origin): Promise<void> {
  const answerAfter = wait(ANSWER_AFTER_MS);
  await ctx.db.transaction().execute(async (tx) => {
    const found = await findUserIdByEmail(tx, email);
    const id = found ?? ctx.newId();
    const sequence = await takeMinorSequence(tx, id);
    // Where the mailbox has had its share by other routes, nothing is sent, and the answer does not tell. For nobody
    // there is the same work, and nothing is counted that could keep the owner of the address from registering.
    const mayGoOut = await mayMail({ ...ctx, db: tx }, found === null ? `nobody at ${email}` : email);
    const { event } = await appendEvent(tx, ctx, 'relay', {
      type: 'user.password_reset_requested',
      subject: id,
      sequence: sequence ?? NO_SEQUENCE,
      data: { id },
      origin,
    });
    // Where it is to be sent, an id that no event has: the statement costs the same, and removes nothing.
    await withdrawEvent(tx, sequence === null || !mayGoOut ? event.id : ctx.newId());
  });
  await answerAfter;
}

const NO_SEQUENCE = '0000000000.000000';
