import type { Context } from '../context/context';
import { overdueErasuresMail } from '../emails/overdue-erasures-mail';
import { sendMail } from '../emails/send-mail';
import { countOverdue, type Overdue, remindOverdue } from './overdue-store';

const DAY_MS = 24 * 60 * 60 * 1000;
const BATCH_SIZE = 500;
export const MAIL_TIMEOUT_MS = 10_000;
/** Of a run on Lambda. Less than the function's time-out. */
export const FOLLOW_UP_BUDGET_MS = 50_000;

export interface FollowUpReport {
  /** Answers that were asked for again in this run. */
  reminded: number;
  /** Answers that are overdue. */
  overdue: number;
}

/**
 * Asks for overdue answers again, once a day each: by the event to the holder's queue, and by one mail for each holder to its
 * contact.
 */
export async function followUpErasures(
  ctx: Context,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<FollowUpReport> {
  const end = performance.now() + budgetMs;
  const now = ctx.now();
  const reminded: Overdue[] = [];
  const remindedBefore = new Date(now.getTime() - DAY_MS);
  for (let batch = BATCH_SIZE; batch === BATCH_SIZE && performance.now() < end && !signal?.aborted; ) {
    const overdue = await ctx.db
      .transaction()
      .execute((tx) => remindOverdue(tx, now, remindedBefore, BATCH_SIZE));
    reminded.push(...overdue);
    batch = overdue.length;
  }
  for (const [contact, holders] of byContact(reminded)) await sendReminder(ctx, contact, holders, end);
  const report = { reminded: reminded.length, overdue: await countOverdue(ctx.db, now) };
  if (report.reminded > 0) ctx.log.warn('Data holders are late with erasures', { ...report });
  return report;
}

/** How many answers each contact's holders owe. */
function byContact(reminded: Overdue[]): Map<string, Map<string, number>> {
  const contacts = new Map<string, Map<string, number>>();
  for (const { contact, holder } of reminded) {
    if (contact === null) continue;
    const holders = contacts.get(contact) ?? new Map<string, number>();
    contacts.set(contact, holders.set(holder, (holders.get(holder) ?? 0) + 1));
  }
  return contacts;
}

/**
 * A mail that cannot be sent, or not before the end, is logged: the next one follows in a day, and the alarm does not depend
 * on it.
 */
async function sendReminder(
  ctx: Context,
  contact: string,
  holders: Map<string, number>,
  end: number,
): Promise<void> {
  const { appName, publicUrl } = ctx.config.mail;
  try {
    if (performance.now() >= end) throw new Error('no time was left');
    const mail = overdueErasuresMail({ appName, publicUrl, holders: [...holders] });
    await sendMail(ctx, ctx.newId(), { name: '', address: contact }, mail, MAIL_TIMEOUT_MS);
  } catch (error) {
    ctx.log.error('A reminder of overdue erasures was not sent', { holders: [...holders.keys()], error });
  }
}
