import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import { consumerOf, recordHistory } from '../event-history/history-store';
import {
  ERASED_ERROR,
  findMissingUsers,
  mayQuotePerson,
  wasDeleted,
  withoutPerson,
} from '../event-operations/erase-store';
import type { UserEvent } from '../events/catalog';
import { dispatchToQueue } from '../outbox/dispatch-store';

export interface DeadLetter {
  id: string;
  queue: string;
  messageId: string | null;
  /** Of `event`, or of the message, if that may be an event's. */
  eventId: string | null;
  /** Null where it is none of our events: then `body` has what came instead. */
  event: UserEvent | null;
  body: string | null;
  error: string;
  attempts: number;
  failedAt: string;
}

export interface NewDeadLetter {
  id: string;
  queue: string;
  messageId: string | null;
  event: UserEvent | null;
  /** Whom it is about, also where it is no event to this version. */
  subject: string | null;
  body: Buffer;
  error: string;
  attempts: number;
}

/**
 * Stores them, each once, however often they are delivered, and records them in the history of their events. Of users who were deleted meanwhile nothing personal comes
 * back by this way.
 */
export async function storeDeadLetters(tx: Tx, letters: NewDeadLetter[]): Promise<void> {
  const subjects = letters.flatMap(({ subject }) => (subject === null ? [] : [subject]));
  const missing = await findMissingUsers(tx, subjects);
  for (const { subject, ...letter } of letters) {
    const isMissing = subject !== null && missing.has(subject);
    const event = isMissing && letter.event ? await withoutPerson(tx, letter.event) : letter.event;
    // A type that this version does not know may be about something else than a user.
    const isErased = isMissing && !event && (await wasDeleted(tx, subject));
    const body = isErased ? withoutData(letter.body) : letter.body;
    // What a consumer says of a failure may quote what it was about.
    const mayQuote = isMissing && (event ? mayQuotePerson(event) : isErased);
    const error = mayQuote ? ERASED_ERROR : letter.error;
    const stored = await tx
      .insertInto('dead_letters')
      .values({
        id: letter.id,
        fingerprint: fingerprintOf(letter),
        queue: letter.queue,
        message_id: letter.messageId,
        event: event && JSON.stringify(event),
        body: event ? null : body,
        subject,
        error,
        attempts: letter.attempts,
      })
      .onConflict((conflict) =>
        conflict.column('fingerprint').doUpdateSet((eb) => ({
          error: eb.ref('excluded.error'),
          attempts: eb.ref('excluded.attempts'),
          failed_at: sql<Date>`now()`,
        })),
      )
      // xmax is 0 for inserted rows, not for updated ones.
      .returning([
        'event_id',
        sql<boolean>`xmax = 0`.as('is_new'),
        consumerOf(sql.ref('queue')).as('consumer'),
      ])
      .executeTakeFirstOrThrow();
    if (stored.is_new && stored.event_id !== null)
      await recordHistory(tx, stored.event_id, {
        kind: 'dead',
        consumer: stored.consumer,
        attempt: letter.attempts,
        error: mayQuote ? null : letter.error,
      });
  }
}

/** A body that has a subject is a JSON object. */
function withoutData(body: Buffer): Buffer {
  const { data, ...rest } = JSON.parse(body.toString('utf8'));
  return Buffer.from(JSON.stringify(rest));
}

/** Newest first. @param before the id of the last letter of the page before */
export async function listDeadLetters(
  db: Db,
  { queue, eventId }: { queue?: string | undefined; eventId?: string | undefined },
  limit: number,
  before: string | undefined,
): Promise<DeadLetter[]> {
  let query = db.selectFrom('dead_letters').selectAll().orderBy('id', 'desc').limit(limit);
  if (queue !== undefined) query = query.where('queue', '=', queue);
  if (eventId !== undefined) query = query.where('event_id', '=', eventId);
  if (before !== undefined) query = query.where('id', '<', before);
  return (await query.execute()).map(toDeadLetter);
}

/** @returns null where there is none */
export async function findDeadLetter(db: Db, id: string): Promise<DeadLetter | null> {
  const row = await db.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirst();
  return row ? toDeadLetter(row) : null;
}

/** Locks it, so that only one caller at a time redrives, edits or deletes it. @returns null where there is none */
export async function lockDeadLetter(tx: Tx, id: string): Promise<DeadLetter | null> {
  const row = await tx
    .selectFrom('dead_letters')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row ? toDeadLetter(row) : null;
}

/** Of a queue, those that were no event when they came. Locked, as above. */
export async function lockUnknown(tx: Tx, queue: string): Promise<DeadLetter[]> {
  const rows = await tx
    .selectFrom('dead_letters')
    .selectAll()
    .where('queue', '=', queue)
    .where('event', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(toDeadLetter);
}

/** @returns the event as it is stored: without personal data where its user was deleted */
export async function replaceEvent(tx: Tx, id: string, event: UserEvent): Promise<UserEvent> {
  const missing = await findMissingUsers(tx, [event.subject]);
  const stored = missing.has(event.subject) ? await withoutPerson(tx, event) : event;
  await tx
    .updateTable('dead_letters')
    .set({ event: JSON.stringify(stored), body: null, subject: stored.subject })
    .where('id', '=', id)
    .execute();
  return stored;
}

export async function deleteDeadLetterRow(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('dead_letters').where('id', '=', id).execute();
}

/** What the audit log keeps of a letter: which one it was, and nothing of what was in it. */
export function auditedLetter({ queue, messageId, event }: DeadLetter) {
  return { queue, messageId, eventType: event?.type ?? null, eventSubject: event?.subject ?? null };
}

/** Moves a letter that holds an event to what is to be sent. */
export async function moveToDispatch(db: Db, id: string): Promise<void> {
  await move(db, sql`id = ${id}`);
}

/**
 * Moves the oldest letters of a queue that hold an event, with all others of their users: these keep their order.
 * @returns how many; fewer than `limit` if none are left
 */
export async function moveOldestToDispatch(db: Db, queue: string, limit: number): Promise<number> {
  return move(
    db,
    sql`queue = ${queue} and subject = any(array(
      select subject from dead_letters where queue = ${queue} and event is not null order by id limit ${limit}))`,
  );
}

async function move(db: Db, condition: RawBuilder<unknown>): Promise<number> {
  const { numAffectedRows } = await sql`
    with moved as (
      delete from dead_letters where ${condition} and event is not null
      returning queue, event, subject, id
    )
    ${dispatchToQueue(sql`
      select queue, (event ->> 'id')::uuid as event_id, subject, null::uuid as replay_id, event from moved
      -- As the events happened: within a user, in the order of their sequence.
      order by event ->> 'sequence', id`)}`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function fingerprintOf({
  queue,
  messageId,
  body,
}: Pick<NewDeadLetter, 'queue' | 'messageId' | 'body'>): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([queue, messageId]))
    .update(body)
    .digest();
}

interface Row {
  id: string;
  queue: string;
  message_id: string | null;
  event_id: string | null;
  event: Record<string, unknown> | null;
  body: Buffer | null;
  error: string;
  attempts: number;
  failed_at: Date;
}

function toDeadLetter(row: Row): DeadLetter {
  return {
    id: row.id,
    queue: row.queue,
    messageId: row.message_id,
    eventId: row.event_id,
    event: row.event as UserEvent | null,
    body: row.body?.toString('utf8') ?? null,
    error: row.error,
    attempts: row.attempts,
    failedAt: row.failed_at.toISOString(),
  };
}
