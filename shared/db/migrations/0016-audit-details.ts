import { type Kysely, sql } from 'kysely';

/**
 * Entries that the service writes itself: about what is no user, with what it was before and after. And the one change
 * that an entry may see: that it forgets where somebody was, after a day at the earliest.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table audit_log alter column subject drop not null, add column details jsonb`.execute(db);

  await sql`drop trigger audit_log_append_only on audit_log`.execute(db);
  await sql`
    create trigger audit_log_append_only before delete or truncate on audit_log
    for each statement execute function refuse_to_change_audit_log()`.execute(db);
  await sql`alter table audit_log enable always trigger audit_log_append_only`.execute(db);

  // By the whole row, so that a column that comes later is protected too.
  await sql`
    create function allow_only_blanking_of_audit_log() returns trigger language plpgsql as $$
    begin
      if to_jsonb(new) = to_jsonb(old) || jsonb_build_object('address', null, 'user_agent', null,
          'details', old.details - 'nameHash')
        and old.time < now() - interval '1 day'
      then
        return new;
      end if;
      raise exception 'audit_log is append-only: UPDATE is refused' using errcode = 'insufficient_privilege',
        hint = 'An entry older than a day may lose its address, user_agent and nameHash, all three at once.';
    end $$`.execute(db);
  await sql`
    create trigger audit_log_blank_only before update on audit_log
    for each row execute function allow_only_blanking_of_audit_log()`.execute(db);
  await sql`alter table audit_log enable always trigger audit_log_blank_only`.execute(db);
  // What the purge has yet to blank, oldest first.
  await sql`
    create index audit_log_address_index on audit_log (time)
    where address is not null or user_agent is not null or details ? 'nameHash'`.execute(db);
}
