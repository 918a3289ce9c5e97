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

export interface PurgeReport {
  events: number;
  handled: number;
  /** Entries of the history of events that were purged before. */
  histories: number;
  retries: number;
  replays: number;
  /** Of webhooks. */
  deliveries: number;
  sessions: number;
  passkeyChallenges: number;
  mailLinks: number;
  mailedCodes: number;
  formerAddresses: number;
  exports: number;
  idempotencyKeys: number;
  rateLimits: number;
  /** Entries of the audit log that have forgotten where somebody was. */
  auditAddresses: number;
}

/** Takes out what is past its retention, in small batches, until nothing is left or the budget is spent. */
export async function purgeEvents(
  ctx: Context,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<PurgeReport> {
  const end = performance.now() + budgetMs;
  const age = (days: number) => new Date(ctx.now().getTime() - days * DAY_MS);
  const { retentionDays, auditAddressDays } = ctx.config.purge;
  const all = async (purge: () => Promise<number>) => {
    let total = 0;
    let purged = BATCH_SIZE;
    while (purged === BATCH_SIZE && performance.now() < end && !signal?.aborted) {
      purged = await purge();
      total += purged;
    }
    return total;
  };
  /** Each batch goes on where the one before it ended. */
  const allById = (purge: (after: string) => Promise<Purged>) => {
    let after = FIRST_ID;
    return all(async () => {
      const { count, last } = await purge(after);
      after = last;
      return count;
    });
  };
  /** @param keptMs how long after its expiry a row is kept */
  const allExpired = (table: Parameters<typeof purgeExpired>[1], keptMs = 0) =>
    all(() => purgeExpired(ctx.db, table, new Date(ctx.now().getTime() - keptMs), BATCH_SIZE));
  const handledBefore = age(retentionDays + INBOX_EXTRA_DAYS);
  const report = {
    events: await allById((after) => purgePublished(ctx.db, age(retentionDays), BATCH_SIZE, after)),
    handled: await allById((after) => purgeByEvent(ctx.db, 'inbox', handledBefore, BATCH_SIZE, after)),
    histories: await allById((after) =>
      purgeByEvent(ctx.db, 'event_history', handledBefore, BATCH_SIZE, after),
    ),
    deliveries: await all(() => purgeDeliveries(ctx.db, age(retentionDays), BATCH_SIZE)),
    retries: await all(() => purgeOverdueRetries(ctx.db, age(INBOX_EXTRA_DAYS), BATCH_SIZE)),
    replays: await all(() => purgeReplays(ctx.db, age(retentionDays), BATCH_SIZE)),
    sessions: await all(() => purgeSessions(ctx.db, ctx.now(), BATCH_SIZE)),
    mailLinks: await allExpired('email_tokens'),
    mailedCodes: await allExpired('mailed_codes'),
    factorChallenges: await allExpired('factor_challenges'),
    signInCodes: await allExpired('sign_in_codes', REMEMBERED_MS),
    passkeyChallenges: await allExpired('passkey_challenges'),
    formerAddresses: await allExpired('former_emails'),
    exports: await allExpired('export_cases'),
    idempotencyKeys: await allExpired('idempotency_keys'),
    rateLimits: await allExpired('rate_limits'),
    auditAddresses: await all(() => blankAuditEntries(ctx.db, age(auditAddressDays), BATCH_SIZE)),
  };
  ctx.log.info('Data past its retention was purged', { ...report });
  return report;
}
