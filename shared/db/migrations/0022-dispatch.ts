import { type Kysely, sql } from 'kysely';

/**
 * Takes the outbox apart: `events` is the log, `dispatch` holds what is still to be sent. The log stays in place and no
 * row of it is rewritten; only what is unsent is copied, under a lock that takes some microseconds for each of those.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await createTables(db);
  // Nobody writes from here on. What is claimed by a relay stays so: its lease becomes the time at which it is due.
  await sql`lock table outbox, redeliveries in access exclusive mode`.execute(db);
  // Relays have claimed redeliveries by their positions, so these keep them, and what follows comes after them.
  await sql`
    insert into dispatch (position, queue, event_id, subject, event, created_at, due_at, attempts, last_error)
    overriding system value
    select position, queue, event_id, subject, event, created_at, available_at, attempts, last_error
    from redeliveries`.execute(db);
  await sql`
    select setval(pg_get_serial_sequence('dispatch', 'position'), max(position)) from dispatch
    having max(position) is not null`.execute(db);
  await sql`
    insert into dispatch (event_id, subject, created_at, due_at, attempts, last_error)
    select id, subject, created_at, available_at, attempts, last_error
    from outbox where published_at is null order by position`.execute(db);
  await sql`drop table redeliveries`.execute(db);
  await indexDispatch(db);
  await turnOutboxIntoLog(db);
  await serveOldCode(db);
}

async function createTables(db: Kysely<never>): Promise<void> {
  // Claims change no indexed column and find room on the same page, so they touch no index.
  await sql`
    create table dispatch (
      position bigint generated always as identity,
      event_id uuid not null,
      -- Null: to the exchange, and so to everyone.
      queue text,
      replay_id uuid,
      subject uuid not null,
      -- An edited dead letter brings its own; null: as the log has it.
      event jsonb,
      created_at timestamptz not null default now(),
      due_at timestamptz not null default now(),
      claimed_until timestamptz,
      attempts integer not null default 0,
      last_error text
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
      autovacuum_vacuum_cost_delay = 0)`.execute(db);
  await sql`
    create table publications (
      event_id uuid primary key,
      published_at timestamptz not null default now(),
      attempts integer not null
    )`.execute(db);

  await sql`
    create table replays (
      id uuid primary key,
      queue text not null,
      from_time timestamptz,
      to_time timestamptz,
      types text[],
      subject uuid,
      -- Whether the events are to take effect once more.
      recount boolean not null,
      requested_at timestamptz not null default now(),
      -- Of the log: up to which event it has looked, and up to which it will.
      position bigint not null default 0,
      end_position bigint not null,
      dispatched bigint not null default 0,
      sent bigint not null default 0,
      finished_at timestamptz
    )`.execute(db);
  await sql`create index replays_unfinished_index on replays (id) where finished_at is null`.execute(db);
}

/** Once its rows are there: an index costs less when it is built at once. */
async function indexDispatch(db: Kysely<never>): Promise<void> {
  await sql`alter table dispatch add primary key (position)`.execute(db);
  // A claim reads the first in its order; the second answers whether something older goes the same way.
  await sql`create index dispatch_due_index on dispatch (due_at, position)`.execute(db);
  await sql`
    create index dispatch_lane_index on dispatch (subject, coalesce(queue, ''), position)`.execute(db);
  await sql`create index dispatch_event_index on dispatch (event_id)`.execute(db);
}

async function turnOutboxIntoLog(db: Kysely<never>): Promise<void> {
  await sql`alter table outbox rename to events`.execute(db);
  for (const name of ['pkey', 'position_key', 'subject_key', 'foreign_actor_index'])
    await sql`alter index ${sql.ref(`outbox_${name}`)} rename to ${sql.ref(`events_${name}`)}`.execute(db);
  await sql`alter sequence outbox_position_seq rename to events_position_seq`.execute(db);
  // Takes outbox_pending_index along.
  await sql`alter table events drop column available_at, drop column last_error`.execute(db);
  // Of events that were published before, these two columns say when; of later ones, `publications` does.
  for (const column of ['published_at', 'attempts'])
    await sql`
      comment on column events.${sql.ref(column)} is 'Of events published before migration 0022'`.execute(db);
}

/**
 * The two relations that the code before this migration reads and writes, as views of the new tables. It may go on for
 * as long as it takes to replace it, or go back to it: its relay and the new one see each other's claims.
 *
 * All that is named `legacy` or `outbox` here, and `events.published_at` and `events.attempts`, is for the old code
 * alone. The first migration of a release that nobody enters from before 0022 may drop it; the two columns,
 * `EVENT_RETENTION_DAYS` after 0022 at the earliest.
 */
async function serveOldCode(db: Kysely<never>): Promise<void> {
  // The old code takes for unsent what has no such time. In `events` that are only those which were unsent here, so that
  // the index finds at once that nothing else is.
  await sql`alter table events alter column published_at set default now()`.execute(db);
  await sql`
    alter index outbox_pending_subject_index rename to events_legacy_unpublished_index`.execute(db);
  const columns = sql`event.id, event.position, event.type, event.subject, event.sequence, event.time, event.data,
    event.traceparent, event.actor_id, event.address, event.user_agent, event.request_id, event.created_at`;
  const isSent = sql`not exists (
    select from dispatch where dispatch.event_id = event.id and dispatch.queue is null)`;
  await sql`
    create view outbox as
    select ${columns}, greatest(dispatch.due_at, dispatch.claimed_until) as available_at, dispatch.attempts,
      dispatch.last_error, null::timestamptz as published_at, event.xmin
    from dispatch join events as event on event.id = dispatch.event_id
    where dispatch.queue is null
    union all
    select ${columns}, event.created_at, coalesce(publication.attempts, event.attempts), null,
      event.published_at, event.xmin
    from events as event left join publications as publication on publication.event_id = event.id
    where event.published_at is not null and ${isSent}
    union all
    select ${columns}, event.created_at, coalesce(publication.attempts, event.attempts), null,
      coalesce(publication.published_at, event.created_at), event.xmin
    from events as event left join publications as publication on publication.event_id = event.id
    where event.published_at is null and ${isSent}`.execute(db);
  await sql`
    create function legacy_write_outbox() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into events (id, type, subject, sequence, time, data, traceparent, actor_id, address, user_agent,
          request_id)
        values (new.id, new.type, new.subject, new.sequence, new.time, new.data, new.traceparent, new.actor_id,
          new.address, new.user_agent, new.request_id)
        returning position, created_at into new.position, new.created_at;
        insert into dispatch (event_id, subject, due_at)
        values (new.id, new.subject, coalesce(new.available_at, now()));
        return new;
      end if;

      if tg_op = 'DELETE' then
        if exists (select from replays where finished_at is null and old.position <= end_position
            and old.position > position) then
          return null;
        end if;
        delete from events where id = old.id;
        if not found then return null; end if;
        delete from dispatch where event_id = old.id and queue is null;
        delete from publications where event_id = old.id;
        return old;
      end if;

      if (new.data, new.address, new.user_agent) is distinct from (old.data, old.address, old.user_agent) then
        update events set data = new.data, address = new.address, user_agent = new.user_agent
        where id = old.id;
      end if;
      if old.published_at is null and new.published_at is not null then
        delete from dispatch where event_id = old.id and queue is null;
        if not found then return null; end if;
        insert into publications (event_id, published_at, attempts)
        values (old.id, new.published_at, new.attempts)
        on conflict (event_id) do update set published_at = excluded.published_at, attempts = excluded.attempts;
      elsif old.published_at is not null and new.published_at is null then
        -- An operator has it published again, after the broker has lost it.
        insert into dispatch (event_id, subject, due_at) values (old.id, old.subject, new.available_at);
      elsif (new.available_at, new.attempts, new.last_error)
          is distinct from (old.available_at, old.attempts, old.last_error)
          and old.published_at is null then
        update dispatch set due_at = new.available_at, claimed_until = null, attempts = new.attempts,
          last_error = new.last_error
        where event_id = old.id and queue is null;
        if not found then return null; end if;
      end if;
      return new;
    end $$`.execute(db);
  await sql`
    create trigger legacy_write_outbox instead of insert or update or delete on outbox
    for each row execute function legacy_write_outbox()`.execute(db);

  await sql`
    create view redeliveries as
    select position, queue, event_id, subject, event, created_at,
      greatest(due_at, claimed_until) as available_at, attempts, last_error
    from dispatch where queue is not null`.execute(db);
  await sql`
    create function legacy_write_redeliveries() returns trigger language plpgsql as $$
    declare replay uuid;
    begin
      if tg_op = 'INSERT' then
        insert into dispatch (queue, event_id, subject, event)
        values (new.queue, new.event_id, new.subject, new.event)
        returning position into new.position;
        return new;
      end if;

      if tg_op = 'DELETE' then
        delete from dispatch where position = old.position returning replay_id into replay;
        if not found then return null; end if;
        update replays set sent = sent + 1,
          finished_at = case when position = end_position and sent + 1 = dispatched then now() end
        where id = replay;
        return old;
      end if;

      if new.event is distinct from old.event then
        update dispatch set event = new.event where position = old.position;
      else
        update dispatch set due_at = new.available_at, claimed_until = null, attempts = new.attempts,
          last_error = new.last_error
        where position = old.position;
      end if;
      if not found then return null; end if;
      return new;
    end $$`.execute(db);
  await sql`
    create trigger legacy_write_redeliveries instead of insert or update or delete on redeliveries
    for each row execute function legacy_write_redeliveries()`.execute(db);
}
