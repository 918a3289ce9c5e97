import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import { addressKey } from '../users/email-address';

export interface FormerEmail {
  userId: string;
  address: string;
  /** The user's version that replaced the address. */
  version: number;
  restorableUntil: Date;
  verified: boolean;
}

/** Stores a former address of a user. The caller holds a lock on the user. */
export async function keepFormerEmail(tx: Tx, former: FormerEmail): Promise<void> {
  await forgetFormerEmail(tx, former.userId, former.address);
  await tx
    .insertInto('former_emails')
    .values({
      user_id: former.userId,
      address: former.address,
      version: former.version,
      restorable_until: former.restorableUntil,
      verified: former.verified,
    })
    .execute();
}

/** @returns null if it is not a restorable address of the user */
export async function findFormerEmail(
  db: Db,
  userId: string,
  address: string,
  now: Date,
): Promise<Pick<FormerEmail, 'version' | 'verified'> | null> {
  const row = await db
    .selectFrom('former_emails')
    .select(['version', 'verified'])
    .where('user_id', '=', userId)
    .where(sql`lower(address)`, '=', addressKey(address))
    .where('restorable_until', '>', now)
    .executeTakeFirst();
  return row ?? null;
}

/**
 * Whether another user can still restore this address. An attacker who took over an account must not be able to claim the
 * owner's address for a second account meanwhile.
 */
export async function isReserved(tx: Tx, address: string, userId: string, now: Date): Promise<boolean> {
  const row = await tx
    .selectFrom('former_emails')
    .select('user_id')
    .where(sql`lower(address)`, '=', addressKey(address))
    .where('user_id', '<>', userId)
    .where('restorable_until', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Deletes one former address. */
export async function forgetFormerEmail(tx: Tx, userId: string, address: string): Promise<void> {
  await tx
    .deleteFrom('former_emails')
    .where('user_id', '=', userId)
    .where(sql`lower(address)`, '=', addressKey(address))
    .execute();
}

/** Deletes all former addresses that this version or a later one replaced. */
export async function forgetFormerEmailsSince(tx: Tx, userId: string, version: number): Promise<void> {
  await tx
    .deleteFrom('former_emails')
    .where('user_id', '=', userId)
    .where('version', '>=', version)
    .execute();
}
