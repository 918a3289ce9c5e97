import { sql } from 'kysely';
import { foldCase } from '../characters';
import type { Db, Tx } from '../db/connection';
import { addressKey } from '../users/email-address';
import type { User } from '../users/user';
import { USER_COLUMNS, userFromRow } from '../users/user-store';
import type { HashedPassword } from './hash';

export type LoginName = { username: string } | { email: string };

export interface LoginRecord {
  user: User;
  rolePermissions: string[];
  /** Null if the user has no password. */
  hash: string | null;
  /** Addresses of recent logins. */
  addresses: string[];
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

/** log2 of the rounds of the most expensive hash of all users, from an index; 0 if there is none. */
export async function findHighestHashCost(db: Db): Promise<number> {
  const { cost } = await db
    .selectFrom('passwords')
    .select(sql<string | null>`max(${HASH_COST})`.as('cost'))
    .executeTakeFirstOrThrow();
  return Number(cost);
}

/** The expression of `passwords_cost_index`: the two digits after `$2b$`. */
const HASH_COST = sql`substr(hash, 5, 2)`;

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

/**
 * Replaces a hash with a new hash of the same password. Reset links that were already sent stay valid. Locks the user
 * first, as all transactions do.
 * @returns false if the hash has changed since
 */
export async function replaceHash(
  db: Db,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  const digestOf = (hash: string) => sql`sha256(convert_to(${hash}, 'UTF8'))`;
  const { rows } = await sql`
    with locked as materialized (
      select id from users where id = ${userId} for no key update),
    replaced as (
      update passwords set hash = ${newHash} from locked
      where user_id = locked.id and hash = ${oldHash} returning user_id),
    links as (
      update email_tokens set password_digest = ${digestOf(newHash)} from replaced
      where email_tokens.user_id = replaced.user_id and password_digest = ${digestOf(oldHash)})
    select user_id from replaced`.execute(db);
  return rows.length > 0;
}

/** Digest of the user's password hash, which binds a reset link to the password that it replaces. */
export const PASSWORD_DIGEST = sql<Buffer>`sha256(convert_to(
  coalesce((select hash from passwords where passwords.user_id = users.id), ''), 'UTF8'))`;
