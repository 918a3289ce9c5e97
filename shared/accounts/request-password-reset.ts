import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent, withdrawEvent } from '../outbox/event-store';
import { mayMail } from '../rate-limits/limit-mail';
import { takeMinorSequence } from '../users/sequence';
import { findUserIdByEmail } from '../users/user-store';

/** Longer than the work takes, to hide the remaining difference of some 40 µs in 2 ms. */
const RESPONSE_DELAY_MS = 30;

/**
 * Requests a reset link for the user with this address, if there is one. Neither the response nor its time reveals
 * whether there is: for an unknown address, the same statements run with an event for a nonexistent user, which is
 * withdrawn before the commit, so both cases write to disk. A fixed delay hides the rest; alone it would not suffice
 * when the database is slow. The consumer sends the email later.
 */
export async function requestPasswordReset(ctx: Context, email: string, origin: Origin): Promise<void> {
  const delay = wait(RESPONSE_DELAY_MS);
  await ctx.db.transaction().execute(async (tx) => {
    const found = await findUserIdByEmail(tx, email);
    const id = found ?? ctx.newId();
    const sequence = await takeMinorSequence(tx, id);
    // If other routes have used up the mailbox's limit, nothing is sent, and the response is the same. An unknown address
    // is counted under a different subject, so that this cannot keep its owner from registering.
    const maySend = await mayMail({ ...ctx, db: tx }, found === null ? `nobody at ${email}` : email);
    const { event } = await appendEvent(tx, ctx, 'relay', {
      type: 'user.password_reset_requested',
      subject: id,
      sequence: sequence ?? NO_SEQUENCE,
      data: { id },
      origin,
    });
    // To keep the event, withdraw an id that no event has: the statement costs the same.
    await withdrawEvent(tx, sequence === null || !maySend ? event.id : ctx.newId());
  });
  await delay;
}

const NO_SEQUENCE = '0000000000.000000';
