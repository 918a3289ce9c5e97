import type { Db, Tx } from '../db/connection';

/** The owner of a token, valid or not; null if it was never issued or its session was purged. */
export async function findTokenOwner(
  db: Db,
  hash: Buffer,
): Promise<{ sessionId: string; userId: string } | null> {
  const row = await db
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .select(['sessions.id', 'sessions.user_id'])
    .where('refresh_tokens.hash', '=', hash)
    .executeTakeFirst();
  return row ? { sessionId: row.id, userId: row.user_id } : null;
}

export interface RefreshableSession {
  id: string;
  user: { id: string; role: string };
  rolePermissions: string[];
  openedAt: Date;
  provenAt: Date | null;
  amr: string[];
  /** Client of the login or the last refresh. */
  client: { address: string | null; userAgent: string | null };
  /** Null before the first rotation. */
  rotation: { seed: Buffer; at: Date } | null;
}

/** Locks an active session, which serializes its refreshes. */
export async function lockActiveSession(
  tx: Tx,
  sessionId: string,
  now: Date,
): Promise<RefreshableSession | null> {
  const row = await tx
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .innerJoin('roles', 'roles.name', 'users.role')
    .select(['users.id', 'users.role', 'roles.permissions'])
    .select(['rotation_seed', 'sessions.created_at', 'last_used_at', 'address', 'user_agent'])
    .select(['proven_at', 'amr'])
    .where('sessions.id', '=', sessionId)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .forUpdate('sessions')
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: sessionId,
    user: { id: row.id, role: row.role },
    rolePermissions: row.permissions,
    openedAt: row.created_at,
    provenAt: row.proven_at,
    amr: row.amr,
    client: { address: row.address, userAgent: row.user_agent },
    rotation: row.rotation_seed && { seed: row.rotation_seed, at: row.last_used_at },
  };
}

/** The session's relevant tokens: the given one, the unused one and those used since `usedSince`. */
export async function findTokens(
  tx: Tx,
  sessionId: string,
  hash: Buffer,
  usedSince: Date,
): Promise<{ hash: Buffer; usedAt: Date | null }[]> {
  const rows = await tx
    .selectFrom('refresh_tokens')
    .select(['hash', 'used_at'])
    .where('session_id', '=', sessionId)
    .where((eb) => eb.or([eb('hash', '=', hash), eb('used_at', 'is', null), eb('used_at', '>=', usedSince)]))
    .execute();
  return rows.map((row) => ({ hash: row.hash, usedAt: row.used_at }));
}

/** Whether a token is the unused one of a session that the caller has locked. */
export async function isUnusedToken(tx: Tx, sessionId: string, hash: Buffer): Promise<boolean> {
  const row = await tx
    .selectFrom('refresh_tokens')
    .select('used_at')
    .where('hash', '=', hash)
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row !== undefined && row.used_at === null;
}

export interface Rotation {
  sessionId: string;
  usedHash: Buffer;
  nextHash: Buffer;
  seed: Buffer;
  address: string | null;
  userAgent: string | null;
  now: Date;
  /** The session's new end. */
  expiresAt: Date;
}

/**
 * Marks a token as used and inserts its successor. Used tokens are kept as long as their session, so that a later reuse
 * is detected.
 */
export async function rotateToken(tx: Tx, rotation: Rotation): Promise<void> {
  const { sessionId, now } = rotation;
  await tx
    .with('used', (db) =>
      db.updateTable('refresh_tokens').set({ used_at: now }).where('hash', '=', rotation.usedHash),
    )
    .with('refreshed', (db) =>
      db
        .updateTable('sessions')
        .set({
          last_used_at: now,
          expires_at: rotation.expiresAt,
          rotation_seed: rotation.seed,
          address: rotation.address,
          user_agent: rotation.userAgent,
        })
        .where('id', '=', sessionId),
    )
    .insertInto('refresh_tokens')
    .values({ hash: rotation.nextHash, session_id: sessionId, created_at: now })
    .execute();
}
