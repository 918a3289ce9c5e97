import { sql } from 'kysely';
import { foldCase } from '../characters';
import type { Db, Tx } from '../db/connection';
import type { SecondFactor } from '../sessions/proof';
import { addressKey } from '../users/email-address';
import type { User } from '../users/user';
import { lockUserRow, USER_COLUMNS, userFromRow } from '../users/user-store';
import type { Argon2Cost } from './argon2-hash';
import type { HashedPassword } from './hash';
import type { FailureCost } from './verify';

export type LoginName = { username: string } | { email: string };

export interface LoginRecord {
  user: User;
  rolePermissions: string[];
  /** Null if the user has no password. */
  hash: string | null;
  /** Addresses of recent logins. */
  addresses: string[];
  /** What the user can send as the second factor; empty if they have none. */
  factors: SecondFactor[];
}

/** More than users have, and few enough to check at every login. */
const MAX_ADDRESSES = 100;

/** The user with this name, with their password hash. */
export async function findForLogin(db: Db, name: LoginName | { id: string }): Promise<LoginRecord | null> {
  const query = db
    .selectFrom('users')
    .innerJoin('roles', 'roles.name', 'users.role')
    .leftJoin('passwords', 'passwords.user_id', 'users.id')
    .select([...USER_COLUMNS, 'passwords.hash', 'roles.permissions'])
    .select(
      sql<string[]>`array(
        select address from sessions where user_id = users.id and address is not null
        group by address order by max(created_at) desc limit ${sql.lit(MAX_ADDRESSES)})`.as('addresses'),
    )
    .select(
      sql<SecondFactor[]>`array(
        select distinct type from factors where user_id = users.id and confirmed_at is not null
        union all
        select 'recovery_code' where exists (select from recovery_codes where user_id = users.id)
        union all
        select 'passkey' where exists (select from passkeys where user_id = users.id))`.as('factors'),
    );
  const row = await ('id' in name
    ? query.where('users.id', '=', name.id)
    : 'email' in name
      ? query.where(sql`lower(users.email)`, '=', addressKey(name.email))
      : query.where(sql`lower(users.username)`, '=', foldCase(name.username.trim()))
  ).executeTakeFirst();
  if (!row) return null;
  return {
    user: userFromRow(row),
    rolePermissions: row.permissions,
    hash: row.hash,
    addresses: row.addresses,
    factors: row.factors,
  };
}

/** The password hash of a user who is logged in, and the name under which wrong guesses are counted. */
export async function findPassword(
  db: Db,
  userId: string,
): Promise<{ username: string; hash: string } | null> {
  const row = await db
    .selectFrom('passwords')
    .innerJoin('users', 'users.id', 'passwords.user_id')
    .select(['users.username', 'passwords.hash'])
    .where('passwords.user_id', '=', userId)
    .executeTakeFirst();
  return row ?? null;
}

/** The cost of the most expensive hashes of all users by each algorithm, from two indexes. */
export async function findHighestCost(db: Db): Promise<FailureCost> {
  // bcrypt's costs are two digits; in an Argon2 hash, letters are in their place.
  const { rows } = await sql<Argon2Cost & { bcrypt: string | null }>`
    select (select max(${BCRYPT_COST}) from passwords where ${BCRYPT_COST} < 'a') as bcrypt,
      coalesce(memory, 0) as memory, coalesce(passes, 0) as passes
    from (values (1)) as always left join (
      select ${MEMORY} as memory, ${PASSES} as passes from passwords
      where hash like '$argon2%' order by ${MEMORY} * ${PASSES} desc limit 1) as argon2 on true`.execute(db);
  const [{ bcrypt, memory, passes } = { bcrypt: null, memory: 0, passes: 0 }] = rows;
  return { bcrypt: Number(bcrypt), argon2: { memory, passes } };
}

/** The expression of `passwords_cost_index`: the two digits after `$2b$`. */
const BCRYPT_COST = sql`substr(hash, 5, 2)`;
/** The factors of `passwords_argon2_work_index`, from `$argon2id$v=19$m=19456,t=2,p=1$…`. */
const MEMORY = sql`split_part(split_part(hash, ',', 1), '=', 3)::int`;
const PASSES = sql`split_part(split_part(hash, ',', 2), '=', 2)::int`;

/** Inserts the first passwords of users. */
export async function insertPasswords(
  tx: Tx,
  passwords: { userId: string; password: HashedPassword }[],
): Promise<void> {
  if (passwords.length === 0) return;
  const rows = passwords.map(({ userId, password: { hash } }) => ({ user_id: userId, hash }));
  await tx.insertInto('passwords').values(rows).execute();
}

/** Sets the password of a user whom the caller has locked. */
export async function setPassword(tx: Tx, userId: string, { hash }: HashedPassword): Promise<void> {
  await tx
    .insertInto('passwords')
    .values({ user_id: userId, hash })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ hash }))
    .execute();
}

/** @returns false if the user, whom the caller has locked, has none */
export async function deletePassword(tx: Tx, userId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('passwords')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/**
 * Replaces a hash with a new hash of the same password. Reset links that were already sent and logins that wait for a
 * second factor stay valid. Locks the user first, as all transactions do.
 * @returns false if the hash has changed since
 */
export async function replaceHash(
  tx: Tx,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  // By a statement of its own: one that waits for the lock does not see the links and challenges that were stored meanwhile.
  await lockUserRow(tx, userId);
  const digestOf = (hash: string) => sql`sha256(convert_to(${hash}, 'UTF8'))`;
  const { rows } = await sql`
    with replaced as (
      update passwords set hash = ${newHash}
      where user_id = ${userId} and hash = ${oldHash} returning user_id),
    links as (
      update email_tokens set password_digest = ${digestOf(newHash)} from replaced
      where email_tokens.user_id = replaced.user_id and password_digest = ${digestOf(oldHash)}),
    challenges as (
      update factor_challenges set password_digest = ${digestOf(newHash)} from replaced
      where factor_challenges.user_id = replaced.user_id and password_digest = ${digestOf(oldHash)})
    select user_id from replaced`.execute(tx);
  return rows.length > 0;
}

/** Digest of the user's password hash, which binds a reset link to the password that it replaces. */
export const PASSWORD_DIGEST = sql<Buffer>`sha256(convert_to(
  coalesce((select hash from passwords where passwords.user_id = users.id), ''), 'UTF8'))`;
