import { blankAuditEntries } from '../audit/audit-store';
import type { Context } from '../context/context';
import {
  type Purged,
  purgeByEvent,
  purgeOverdueRetries,
  purgePublished,
} from '../event-operations/purge-store';
import { purgeReplays } from '../outbox/replay-store';
import { purgeSessions } from '../sessions/session-store';
import { REMEMBERED_MS } from '../sessions/sign-in-code-store';
import { purgeDeliveries } from '../webhooks/delivery-store';
import { purgeExpired } from './purge-expired-store';

const DAY_MS = 24 * 60 * 60 * 1000;
const BATCH_SIZE = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/**
 * What says that an event was handled outlives the event by this, and so every way on which a copy of it can still
 * come: the longest retry is days, and what is still to be sent keeps its event from being purged.
 */
const INBOX_EXTRA_DAYS = 30;

const NOTHING = {
  events: 0,
  handled: 0,
  /** Entries of the history of events that were purged before. */
  histories: 0,
  retries: 0,
  replays: 0,
  /** Of webhooks. */
  deliveries: 0,
  sessions: 0,
  passkeyChallenges: 0,
  factorChallenges: 0,
  signInCodes: 0,
  mailLinks: 0,
  mailedCodes: 0,
  formerAddresses: 0,
  exports: 0,
  idempotencyKeys: 0,
  rateLimits: 0,
  /** Entries of the audit log that have forgotten where somebody was. */
  auditAddresses: 0,
};

export type PurgeReport = typeof NOTHING;

/** Takes out what is past its retention, in small batches, until nothing is left or the budget is spent. */
export async function purgeEvents(
  ctx: Context,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<PurgeReport> {
  const end = performance.now() + budgetMs;
  const age = (days: number) => new Date(ctx.now().getTime() - days * DAY_MS);
  const { retentionDays, auditAddressDays } = ctx.config.purge;
  /** Each batch goes on where the one before it ended. */
  const byId = (purge: (after: string) => Promise<Purged>) => {
    let after = FIRST_ID;
    return async () => {
      const { count, last } = await purge(after);
      after = last;
      return count;
    };
  };
  /** @param keptMs how long after its expiry a row is kept */
  const expired =
    (table: Parameters<typeof purgeExpired>[1], keptMs = 0) =>
    () =>
      purgeExpired(ctx.db, table, new Date(ctx.now().getTime() - keptMs), BATCH_SIZE);
  const handledBefore = age(retentionDays + INBOX_EXTRA_DAYS);
  /** Each takes a batch. */
  const purges: [keyof PurgeReport, () => Promise<number>][] = [
    // Before the events, which a pending delivery keeps.
    ['deliveries', () => purgeDeliveries(ctx.db, age(retentionDays), BATCH_SIZE)],
    ['events', byId((after) => purgePublished(ctx.db, age(retentionDays), BATCH_SIZE, after))],
    ['handled', byId((after) => purgeByEvent(ctx.db, 'inbox', handledBefore, BATCH_SIZE, after))],
    ['histories', byId((after) => purgeByEvent(ctx.db, 'event_history', handledBefore, BATCH_SIZE, after))],
    ['retries', () => purgeOverdueRetries(ctx.db, age(INBOX_EXTRA_DAYS), BATCH_SIZE)],
    ['replays', () => purgeReplays(ctx.db, age(retentionDays), BATCH_SIZE)],
    ['sessions', () => purgeSessions(ctx.db, ctx.now(), BATCH_SIZE)],
    ['mailLinks', expired('email_tokens')],
    ['mailedCodes', expired('mailed_codes')],
    ['factorChallenges', expired('factor_challenges')],
    ['signInCodes', expired('sign_in_codes', REMEMBERED_MS)],
    ['passkeyChallenges', expired('passkey_challenges')],
    ['formerAddresses', expired('former_emails')],
    ['exports', expired('export_cases')],
    ['idempotencyKeys', expired('idempotency_keys')],
    ['rateLimits', expired('rate_limits')],
    ['auditAddresses', () => blankAuditEntries(ctx.db, age(auditAddressDays), BATCH_SIZE)],
  ];
  const report: PurgeReport = { ...NOTHING };
  // In turns, so that what has the most rows does not take all of the budget, hour after hour.
  let unfinished = purges;
  while (unfinished.length > 0) {
    const round = unfinished;
    unfinished = [];
    for (const turn of round) {
      const [name, purge] = turn;
      if (performance.now() >= end || signal?.aborted) continue;
      const purged = await purge();
      report[name] += purged;
      if (purged === BATCH_SIZE) unfinished.push(turn);
    }
  }
  ctx.log.info('Data past its retention was purged', { ...report });
  return report;
}
