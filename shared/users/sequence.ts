import type { Tx } from '../db/connection';

/** A version as text that sorts like the number. */
export function sequenceOf(version: number): string {
  return String(version).padStart(10, '0');
}

/**
 * Locks the user and takes the sequence for an event that changes nothing in the user itself, such as a login.
 * @param version given: only while the user is of this version
 * @returns null where the user is gone, or of a later version
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
