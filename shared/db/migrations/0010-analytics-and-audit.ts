import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // The rows of the present hour are updated all the time: with room on their page, no update touches the index.
  await sql`
    create table analytics_hourly (
      hour timestamptz not null,
      metric text not null,
      count bigint not null,
      primary key (hour, metric)
    ) with (fillfactor = 50)`.execute(db);

  // The record of what was done outlives mistakes and whoever gets hold of the functions' credentials by injection.
  // For the statement, so that one that finds no row is refused too, and `always`, so that no session setting skips it.
  await sql`
    create function refuse_to_change_audit_log() returns trigger language plpgsql as $$
    begin
      raise exception 'audit_log is append-only: % is refused', tg_op
        using errcode = 'insufficient_privilege', hint = 'Entries are only ever added.';
    end $$`.execute(db);
  await sql`
    create trigger audit_log_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_to_change_audit_log()`.execute(db);
  await sql`alter table audit_log enable always trigger audit_log_append_only`.execute(db);
}
