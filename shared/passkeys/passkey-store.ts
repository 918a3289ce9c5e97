import { type Selectable, sql } from 'kysely';
import { type Db, type Tx, violatedUniqueConstraint } from '../db/connection';
import type { PasskeysTable } from '../db/tables';
import { DomainError } from '../errors';

/** A passkey as its user sees it. */
export interface Passkey {
  id: string;
  /** base64url, as browsers write it: for `signalAllAcceptedCredentials`. */
  credentialId: string;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
  /** Whether it is in a keychain that several devices share. */
  backedUp: boolean;
  /** When its signature counter last failed to rise, as it does if there are two copies of the key. */
  suspectedCloneAt: string | null;
}

export interface NewPasskeyRow {
  id: string;
  userId: string;
  credentialId: Buffer;
  publicKey: Buffer;
  signCount: number;
  backupEligible: boolean;
  backedUp: boolean;
  transports: string[];
  name: string;
  now: Date;
}

/** The user's passkeys, the oldest first. */
export async function listPasskeyRows(db: Db, userId: string): Promise<Passkey[]> {
  const rows = await db
    .selectFrom('passkeys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();
  return rows.map(passkeyFromRow);
}

/** The credential ids of a user's passkeys, and how the browser reaches their authenticators. */
export async function listCredentials(
  db: Db,
  userId: string,
): Promise<{ credentialId: Buffer; transports: string[] }[]> {
  const rows = await db
    .selectFrom('passkeys')
    .select(['credential_id', 'transports'])
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ credentialId: row.credential_id, transports: row.transports }));
}

/** @throws DomainError `passkey_taken`, decided by the unique constraint, so concurrent registrations are safe */
export async function insertPasskey(tx: Tx, passkey: NewPasskeyRow): Promise<Passkey> {
  const row = await tx
    .insertInto('passkeys')
    .values({
      id: passkey.id,
      user_id: passkey.userId,
      credential_id: passkey.credentialId,
      public_key: passkey.publicKey,
      sign_count: passkey.signCount,
      backup_eligible: passkey.backupEligible,
      backed_up: passkey.backedUp,
      transports: passkey.transports,
      name: passkey.name,
      created_at: passkey.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      if (violatedUniqueConstraint(error) !== 'passkeys_credential_id_key') throw error;
      throw new DomainError('passkey_taken');
    });
  return passkeyFromRow(row);
}

export interface StoredPasskey {
  id: string;
  userId: string;
  publicKey: Buffer;
  backupEligible: boolean;
}

export async function findPasskey(db: Db, credentialId: Buffer): Promise<StoredPasskey | null> {
  const row = await db
    .selectFrom('passkeys')
    .select(['id', 'user_id', 'public_key', 'backup_eligible'])
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  return row
    ? {
        id: row.id,
        userId: row.user_id,
        publicKey: row.public_key,
        backupEligible: row.backup_eligible,
      }
    : null;
}

/**
 * Notes a use. The counter of an authenticator rises with each signature, or stays 0 (WebAuthn, section 6.1.1). One that
 * does not rise suggests a copy of the key.
 * @returns whether it suggests that; null if the passkey was removed meanwhile
 */
export async function noteUse(
  tx: Tx,
  id: string,
  { signCount, backedUp, now }: { signCount: number; backedUp: boolean; now: Date },
): Promise<{ isSuspected: boolean } | null> {
  const { rows } = await sql<{ is_suspected: boolean }>`
    update passkeys set
      sign_count = greatest(passkeys.sign_count, ${signCount}),
      backed_up = ${backedUp},
      last_used_at = ${now},
      suspected_clone_at = case when before.is_suspected then ${now} else suspected_clone_at end
    from (
      select id, ${signCount} <= sign_count and greatest(${signCount}, sign_count) > 0 as is_suspected
      from passkeys where id = ${id} for update
    ) as before
    where passkeys.id = before.id returning before.is_suspected`.execute(tx);
  const [row] = rows;
  return row ? { isSuspected: row.is_suspected } : null;
}

/** @returns null if the user has no such passkey */
export async function renamePasskeyRow(
  db: Db,
  userId: string,
  id: string,
  name: string,
): Promise<Passkey | null> {
  const row = await db
    .updateTable('passkeys')
    .set({ name })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
  return row ? passkeyFromRow(row) : null;
}

/** @returns false if the user has no such passkey */
export async function deletePasskey(tx: Tx, userId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('passkeys')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Deletes all passkeys of a user. @returns their ids */
export async function deletePasskeys(tx: Tx, userId: string): Promise<string[]> {
  const rows = await tx.deleteFrom('passkeys').where('user_id', '=', userId).returning('id').execute();
  return rows.map(({ id }) => id).sort();
}

function passkeyFromRow(row: Selectable<PasskeysTable>): Passkey {
  return {
    id: row.id,
    credentialId: row.credential_id.toString('base64url'),
    name: row.name,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    backedUp: row.backed_up,
    suspectedCloneAt: row.suspected_clone_at?.toISOString() ?? null,
  };
}
