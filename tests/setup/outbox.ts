import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { takeReplayStep } from '../../shared/event-operations/run-replays';
import type { TestContext } from './context';

/**
 * A backlog as registrations during an outage leave it: for each user `user.created`, then as many changes more.
 * @returns the users' ids
 */
export async function fillOutbox(ctx: TestContext, users: number, changes = 0): Promise<string[]> {
  const ids = Array.from({ length: users }, () => uuidv7());
  // Ids of this version alone tell a purge how old their events are.
  const eventIds = Array.from({ length: users * (changes + 1) }, () => uuidv7());
  await sql`
    with appended as (
      insert into events (id, type, subject, sequence, time, data)
      select (${eventIds}::uuid[])[(version - 1) * ${users}::int + place],
        case when version = 1 then 'user.created' else 'user.email_verified' end,
        id, lpad(version::text, 10, '0'), now(),
        case when version = 1
          then jsonb_build_object('id', id, 'username', 'user', 'email', null, 'role', 'user',
            'createdAt', '2026-11-20T10:00:00.000Z')
          else jsonb_build_object('id', id) end
      from generate_series(1, ${changes + 1}::int) as version, unnest(${ids}::uuid[]) with ordinality as users (id, place)
      order by version, place
      returning id, subject, position
    )
    insert into dispatch (event_id, subject) select id, subject from appended order by position`.execute(
    ctx.db,
  );
  return ids;
}

export async function countUnsent(ctx: TestContext): Promise<number> {
  const row = await ctx.db
    .selectFrom('dispatch')
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .where('queue', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Of a user's events, in their order, or of all: whether they are published, and at which attempt. */
export async function outcomesOf(
  ctx: TestContext,
  subject?: string,
): Promise<{ published_at: Date | null; attempts: number; last_error: string | null }[]> {
  const { rows } = await sql<{ published_at: Date | null; attempts: number; last_error: string | null }>`
    select publications.published_at, coalesce(dispatch.attempts, publications.attempts) as attempts,
      dispatch.last_error
    from events
    left join dispatch on dispatch.event_id = events.id and dispatch.queue is null
    left join publications on publications.event_id = events.id
    where ${subject ?? null}::uuid is null or events.subject = ${subject ?? null}
    order by events.position`.execute(ctx.db);
  return rows;
}

/** Forgets that they are published: all events, or a user's, are to be sent again to everyone. */
export async function makeUnsent(ctx: TestContext, subject?: string): Promise<void> {
  await sql`
    with forgotten as (
      delete from publications using events
      where publications.event_id = events.id
      and (${subject ?? null}::uuid is null or events.subject = ${subject ?? null})
      returning events.id, events.subject, events.position
    )
    insert into dispatch (event_id, subject) select id, subject from forgotten order by position`.execute(
    ctx.db,
  );
}

/** Makes everything that waits for its next attempt, or is claimed, due now: the time that passes, passed. */
export async function makeDue(ctx: TestContext): Promise<void> {
  // Around the rows that a relay is at: it takes them in another order, and both would wait for each other.
  await sql`
    update dispatch set due_at = now(), claimed_until = null
    where position in (select position from dispatch for update skip locked)`.execute(ctx.db);
}

/** Has all that replays ask for put into `dispatch`, as far as it takes it. @param size the events of a step */
export async function takeReplaySteps(ctx: TestContext, size?: number): Promise<void> {
  let step: string;
  do step = await takeReplayStep(ctx.db, size);
  while (step === 'taken');
}

/** @returns the subjects whose events arrived out of order */
export function inversions(events: Record<string, unknown>[]): string[] {
  const last = new Map<string, string>();
  const wrong = new Set<string>();
  for (const event of events) {
    const subject = String(event['subject']);
    const sequence = String(event['sequence']);
    if (sequence <= (last.get(subject) ?? '')) wrong.add(subject);
    last.set(subject, sequence);
  }
  return [...wrong];
}
