import type { Db, Tx } from '../db/connection';
import type { User } from '../users/user';
import { USER_COLUMNS, userFromRow } from '../users/user-store';

export interface NewSession {
  id: string;
  userId: string;
  now: Date;
  expiresAt: Date;
  address: string | null;
  userAgent: string | null;
}

export async function insertSession(tx: Tx, session: NewSession): Promise<void> {
  await tx
    .insertInto('sessions')
    .values({
      id: session.id,
      user_id: session.userId,
      created_at: session.now,
      last_used_at: session.now,
      expires_at: session.expiresAt,
      address: session.address,
      user_agent: session.userAgent,
    })
    .execute();
}

/** Ends the user's living sessions, the oldest first. @returns their ids */
export async function revokeSessions(
  tx: Tx,
  userId: string,
  now: Date,
  except: string | null,
): Promise<string[]> {
  const rows = await tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .$if(except !== null, (query) => query.where('id', '<>', except))
    .returning('id')
    .execute();
  return rows.map((row) => row.id).sort();
}

/** @param hash SHA-256 of the token: a copy of the table logs nobody in */
export async function insertRefreshToken(tx: Tx, sessionId: string, hash: Buffer, now: Date): Promise<void> {
  await tx.insertInto('refresh_tokens').values({ hash, session_id: sessionId, created_at: now }).execute();
}

/** One indexed query per authenticated request: the user of a living session, with what their role may do today. */
export async function findSessionUser(
  db: Db,
  sessionId: string,
  userId: string,
  now: Date,
): Promise<{ user: User; rolePermissions: string[] } | null> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .innerJoin('roles', 'roles.name', 'users.role')
    .select([...USER_COLUMNS, 'roles.permissions'])
    .where('sessions.id', '=', sessionId)
    .where('sessions.user_id', '=', userId)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .executeTakeFirst();
  return row ? { user: userFromRow(row), rolePermissions: row.permissions } : null;
}
