import { sql } from 'kysely';
import type { Db, Tx } from '../../shared/db/connection';
import type { UserEvent } from '../../shared/events/catalog';

/** Where the handler under test writes down what it does, without a constraint that would hide a repetition. */
export async function createEffectTables(db: Db): Promise<void> {
  await sql`
    create table effects (
      position bigint primary key generated always as identity,
      event_id uuid not null,
      subject uuid not null,
      sequence text collate "C" not null,
      at timestamptz not null default clock_timestamp()
    )`.execute(db);
  await sql`create table deliveries (event_id uuid primary key, count integer not null)`.execute(db);
}

/** In the handler's own transaction. */
export async function recordEffects(tx: Tx, events: UserEvent[]): Promise<void> {
  await sql`
    insert into effects (event_id, subject, sequence)
    select * from unnest(
      ${events.map((event) => event.id)}::uuid[], ${events.map((event) => event.subject)}::uuid[],
      ${events.map((event) => event.sequence)}::text[])`.execute(tx);
}

/** Outside of it: an attempt that failed was one too. @returns those that were delivered for the first time */
export async function countDeliveries(db: Db, eventIds: string[]): Promise<Set<string>> {
  if (eventIds.length === 0) return new Set();
  const { rows } = await sql<{ event_id: string }>`
    with counted as (
      insert into deliveries (event_id, count) select id, 1 from unnest(${eventIds}::uuid[]) as id
      on conflict (event_id) do update set count = deliveries.count + 1
      returning event_id, count
    )
    select event_id from counted where count = 1`.execute(db);
  return new Set(rows.map((row) => row.event_id));
}

export interface Outcome {
  users: number;
  events: number;
  handled: number;
  dead: number;
  lost: number;
  ghosts: number;
  repeated: number;
  inversions: number;
  /** Milliseconds from the commit of an event's row to its effect: of users whose every event was handled. */
  lagP50: number;
  lagP99: number;
}

/** What the database says about a run, after it. */
export async function readOutcome(db: Db): Promise<Outcome> {
  const { rows } = await sql<Outcome>`
    select
      (select count(*)::int from users) as users,
      (select count(*)::int from events) as events,
      (select count(distinct event_id)::int from effects) as handled,
      (select count(*)::int from dead_letters) as dead,
      -- Events without an effect, and changes without an event.
      (select count(*)::int from events
        where not exists (select from effects where effects.event_id = events.id)
        and not exists (select from dead_letters where dead_letters.message_id = events.id::text))
      + (select coalesce(sum(abs(users.version - (
          select count(*) from events where events.subject = users.id))), 0)::int from users) as lost,
      (select count(*)::int from effects
        where not exists (select from events where events.id = effects.event_id))
      + (select count(*)::int from events
        where not exists (select from users where users.id = events.subject)
        -- Nor was there one, who has been erased.
        and not exists (
          select from erasure_cases where erasure_cases.user_id = events.subject)) as ghosts,
      (select (count(*) - count(distinct event_id))::int from effects)
      + (select abs(count(*) - (select count(distinct event_id) from effects))::int from audit_log
        -- And not what an administrator did.
        where exists (select from events where events.id = audit_log.event_id))
      + (select abs(coalesce(sum(count), 0) - (select count(*) from inbox
          join events on events.id = inbox.event_id
          where inbox.consumer = 'analytics' and events.type = 'user.created'))::int
        from analytics_hourly where metric = 'registrations') as repeated,
      (select count(*)::int from (
        select sequence <= lag(sequence) over (partition by subject order by position) as inverted
        from effects) as one where inverted) as inversions,
      coalesce(lag.p50, 0) as "lagP50", coalesce(lag.p99, 0) as "lagP99"
    from (
      select percentile_cont(0.5) within group (order by ms) as p50,
        percentile_cont(0.99) within group (order by ms) as p99
      from (
        select extract(epoch from effects.at - events.created_at)::float8 * 1000 as ms
        from effects join events on events.id = effects.event_id
        where not exists (select from dead_letters where dead_letters.subject = effects.subject)
      ) as lags
    ) as lag`.execute(db);
  const [outcome] = rows;
  if (!outcome) throw new Error('The outcome is one row');
  return outcome;
}

/**
 * How much is neither handled nor a dead letter yet, by both of the consumers that are looked at, and how much is not sent
 * yet: what the consumers have may still have to go to a mirror.
 */
export async function countOpen(db: Db): Promise<number> {
  const { rows } = await sql<{ open: number }>`
    select
      -- Each by itself, so that none hides another.
      greatest(0, (select count(*) from events)::int
        - (select count(distinct event_id) from effects)::int
        - (select count(*) from dead_letters where queue like '%.audit')::int)
      + greatest(0, (select count(*) from events where type = 'user.created')::int
        - (select count(*) from inbox join events on events.id = inbox.event_id
          where inbox.consumer = 'analytics' and events.type = 'user.created')::int
        - (select count(*) from dead_letters where queue like '%.analytics')::int)
      + (select count(*) from dispatch)::int as open`.execute(db);
  return rows[0]?.open ?? 0;
}
