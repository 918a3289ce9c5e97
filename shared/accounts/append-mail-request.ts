import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { EventData } from '../events/catalog';
import type { Origin } from '../events/origin';
import { appendEvent, withdrawEvent } from '../outbox/event-store';
import { mayMail } from '../rate-limits/limit-mail';
import { takeMinorSequence } from '../users/sequence';
import { findUserIdByEmail } from '../users/user-store';

/** Longer than the work takes, to hide the remaining difference of some 40 µs in 2 ms. */
const RESPONSE_DELAY_MS = 30;

type RequestType = 'user.password_reset_requested' | 'user.login_code_requested';

interface MailRequest<T extends RequestType> {
  type: T;
  email: string;
  /** False: nothing is mailed, and the mailbox's limit is not used. */
  isWithinLimit: boolean;
  /** The event's data for this user. */
  data(userId: string): EventData<T>;
  /** What else the request stores. `userId` is null if no user has the address. */
  store?(tx: Tx, userId: string | null): Promise<void>;
  origin: Origin;
}

/**
 * Appends an event that mails something to the user with this address, if there is one. Neither the response nor its time
 * reveals whether there is: for an unknown address, the same statements run with an event for a nonexistent user, which is
 * withdrawn before the commit, so both cases write to disk. A fixed delay hides the rest; alone it would not suffice
 * when the database is slow. The consumer sends the email later.
 */
export async function appendMailRequest<T extends RequestType>(
  ctx: Context,
  { type, email, isWithinLimit, data, store = async () => {}, origin }: MailRequest<T>,
): Promise<void> {
  const delay = wait(RESPONSE_DELAY_MS);
  await ctx.db.transaction().execute(async (tx) => {
    const found = await findUserIdByEmail(tx, email);
    const id = found ?? ctx.newId();
    const sequence = await takeMinorSequence(tx, id);
    // If other routes have used up the mailbox's limit, nothing is sent, and the response is the same. An unknown address
    // is counted under a different subject, so that this cannot keep its owner from registering.
    const isCounted = found !== null && isWithinLimit;
    const isAllowed = await mayMail({ ...ctx, db: tx }, isCounted ? email : `nobody at ${email}`);
    const { event } = await appendEvent(tx, ctx, 'relay', {
      type,
      subject: id,
      sequence: sequence ?? NO_SEQUENCE,
      data: data(id),
      origin,
    });
    // Without its lock, a user who was found may be gone.
    await store(tx, sequence === null ? null : id);
    // To keep the event, withdraw an id that no event has: the statement costs the same.
    const isKept = sequence !== null && isWithinLimit && isAllowed;
    await withdrawEvent(tx, isKept ? ctx.newId() : event.id);
  });
  await delay;
}

const NO_SEQUENCE = '0000000000.000000';
