import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';

/** What is recorded for each event. That it was published and handled is in `publications` and `inbox`. */
export type RecordedKind = 'publish_failed' | 'redelivered' | 'failed' | 'waits' | 'dead' | 'mail_sent';

export interface RecordedEntry {
  at: Date;
  kind: RecordedKind;
  consumer: string | null;
  attempt: number | null;
  error: string | null;
  dueAt: Date | null;
  detail: Record<string, unknown> | null;
}

/** Records one thing that happened to an event, in the transaction in which it did. */
export async function recordHistory(
  tx: Tx,
  eventId: string,
  { kind, consumer, attempt, error, detail }: Partial<RecordedEntry> & Pick<RecordedEntry, 'kind'>,
): Promise<void> {
  await tx
    .insertInto('event_history')
    .values({
      event_id: eventId,
      kind,
      consumer: consumer ?? null,
      attempt: attempt ?? null,
      error: error ?? null,
      detail: detail ? JSON.stringify(detail) : null,
    })
    .execute();
}

/** Of an event that the broker has refused for weeks, the beginning is not worth reading. */
const SHOWN = 1_000;

/** The last entries, oldest first. */
export async function findRecorded(db: Db, eventId: string): Promise<RecordedEntry[]> {
  const rows = await db
    .selectFrom('event_history')
    .select(['at', 'kind', 'consumer', 'attempt', 'error', 'due_at', 'detail'])
    .where('event_id', '=', eventId)
    .orderBy('id', 'desc')
    .limit(SHOWN)
    .execute();
  return rows
    .reverse()
    .map(({ kind, due_at, ...row }) => ({ ...row, kind: kind as RecordedKind, dueAt: due_at }));
}

/** The consumer of a queue: the last part of the queue's name, whatever its prefix. */
export function consumerOf(queue: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`substring(${queue} from '[^.]+$')`;
}
