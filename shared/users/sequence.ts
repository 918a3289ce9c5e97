import type { Tx } from '../db/connection';

/** A version as text that sorts numerically. */
export function sequenceOf(version: number): string {
  return String(version).padStart(10, '0');
}

/**
 * Locks the user and takes the next sequence for an event that does not change the user, such as a login.
 * @param version if given, only if the user has this version
 * @returns null if the user was deleted or has another version
 */
export async function takeMinorSequence(tx: Tx, userId: string, version?: number): Promise<string | null> {
  let query = tx
    .updateTable('users')
    .set((eb) => ({ minor_version: eb('minor_version', '+', 1) }))
    .where('id', '=', userId);
  if (version !== undefined) query = query.where('version', '=', version);
  const row = await query.returning(['version', 'minor_version']).executeTakeFirst();
  return row ? `${sequenceOf(row.version)}.${String(row.minor_version).padStart(10, '0')}` : null;
}
