import { type Kysely, sql } from 'kysely';

/**
 * Passwords leave `users`: a user may have none. The version before goes on reading and writing `users.password_hash`
 * until it has been replaced, so two triggers keep the two in step. The migration that follows the release of this one
 * drops the column, its index, both triggers and their functions; no code of this version knows them.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table passwords (user_id uuid primary key, hash text not null)`.execute(db);
  // Nearly all, before anything is locked: a million takes a few seconds.
  await sql`insert into passwords select id, password_hash from users`.execute(db);
  // What every failed login costs is looked up here: as much as the most expensive hash.
  await sql`create index passwords_cost_index on passwords (substr(hash, 5, 2))`.execute(db);

  // From here on nobody else writes to `users`. Both tables at once: a request that has one of them and waits for the
  // other would be in a deadlock with whoever locks them one after the other.
  await sql`lock table users, sessions in access exclusive mode`.execute(db);
  await sql`alter table users alter column password_hash drop not null`.execute(db);
  await sql`
    delete from passwords where not exists (select from users where users.id = passwords.user_id)`.execute(
    db,
  );
  await sql`
    insert into passwords
    select id, password_hash from users left join passwords on user_id = id
    where hash is distinct from password_hash
    on conflict (user_id) do update set hash = excluded.hash`.execute(db);
  await sql`
    alter table passwords add foreign key (user_id) references users (id) on delete cascade`.execute(db);

  await sql`
    create function copy_password_of_old_version() returns trigger language plpgsql as $$
    begin
      insert into passwords values (new.id, new.password_hash)
      on conflict (user_id) do update set hash = excluded.hash where passwords.hash <> excluded.hash;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger copy_inserted_password after insert on users
    for each row when (new.password_hash is not null) execute function copy_password_of_old_version()`.execute(
    db,
  );
  await sql`
    create trigger copy_updated_password after update of password_hash on users
    for each row when (new.password_hash is not null) execute function copy_password_of_old_version()`.execute(
    db,
  );
  await sql`
    create function show_password_to_old_version() returns trigger language plpgsql as $$
    begin
      update users set password_hash = new.hash
      where id = new.user_id and password_hash is distinct from new.hash;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger show_password_to_old_version after insert or update of hash on passwords
    for each row execute function show_password_to_old_version()`.execute(db);

  await sql`alter table sessions add column amr text[] not null default '{pwd}'`.execute(db);
}
