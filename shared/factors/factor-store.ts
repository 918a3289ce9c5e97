import type { Db, Tx } from '../db/connection';

export interface Factor {
  id: string;
  type: 'totp';
  createdAt: string;
  lastUsedAt: string | null;
}

/** A factor with its sealed secret, which never leaves this folder. */
export interface SealedFactor {
  id: string;
  secret: Buffer;
  lastStep: number | null;
}

/** The user's factors, the oldest first, without one that is not confirmed. */
export async function listFactorRows(db: Db, userId: string): Promise<Factor[]> {
  const rows = await db
    .selectFrom('factors')
    .select(['id', 'type', 'created_at', 'last_used_at'])
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  }));
}

/** @param state which of them: a user has one that is not confirmed at most */
export async function findSealed(
  db: Db,
  userId: string,
  state: 'confirmed' | 'unconfirmed',
): Promise<SealedFactor[]> {
  const rows = await db
    .selectFrom('factors')
    .select(['id', 'secret', 'last_step'])
    .where('user_id', '=', userId)
    .where('confirmed_at', state === 'confirmed' ? 'is not' : 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id, secret, last_step: step }) => ({
    id,
    secret,
    lastStep: step === null ? null : Number(step),
  }));
}

export async function countFactors(db: Db, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('factors')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Inserts a factor that is not confirmed, in the place of an earlier one that never was. The caller has locked the user. */
export async function insertFactor(
  tx: Tx,
  factor: { id: string; userId: string; secret: Buffer; now: Date },
): Promise<void> {
  await tx
    .deleteFrom('factors')
    .where('user_id', '=', factor.userId)
    .where('confirmed_at', 'is', null)
    .execute();
  await tx
    .insertInto('factors')
    .values({
      id: factor.id,
      user_id: factor.userId,
      type: 'totp',
      secret: factor.secret,
      created_at: factor.now,
    })
    .execute();
}

/** @returns false if it is gone or confirmed already */
export async function confirmFactor(tx: Tx, id: string, step: number, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('factors')
    .set({ confirmed_at: now, last_step: step, last_used_at: now })
    .where('id', '=', id)
    .where('confirmed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Uses up the code of a time step and all earlier ones.
 * @param secret the secret, sealed again with the current key, if it was sealed with an older one
 * @returns false if it was used, or the factor removed, meanwhile: of concurrent uses of a code, one succeeds
 */
export async function useStep(
  tx: Tx,
  id: string,
  { step, now, secret }: { step: number; now: Date; secret: Buffer | null },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('factors')
    .set({ last_step: step, last_used_at: now, ...(secret && { secret }) })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('last_step', 'is', null), eb('last_step', '<', String(step))]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** @returns whether it was confirmed, or null if the user has no such factor */
export async function deleteFactor(
  tx: Tx,
  userId: string,
  id: string,
): Promise<{ type: 'totp'; wasConfirmed: boolean } | null> {
  const row = await tx
    .deleteFrom('factors')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returning(['type', 'confirmed_at'])
    .executeTakeFirst();
  return row ? { type: row.type, wasConfirmed: row.confirmed_at !== null } : null;
}

/** Deletes all factors of a user. @returns those that were confirmed */
export async function deleteFactors(tx: Tx, userId: string): Promise<Pick<Factor, 'id' | 'type'>[]> {
  const rows = await tx
    .deleteFrom('factors')
    .where('user_id', '=', userId)
    .returning(['id', 'type', 'confirmed_at'])
    .execute();
  return rows.filter((row) => row.confirmed_at !== null).map(({ id, type }) => ({ id, type }));
}
