import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';

const DAY_MS = 24 * 60 * 60 * 1000;

/** When and how a session's user has authenticated: as in a `Proof`, or as in the session that it continues. */
export interface ProvenSession {
  at: Date;
  amr: readonly string[];
}

export interface NewSession {
  id: string;
  userId: string;
  now: Date;
  expiresAt: Date;
  address: string | null;
  userAgent: string | null;
  proof: ProvenSession;
  /** SHA-256 of the first refresh token, so that a copy of the table cannot be used to log in. */
  tokenHash: Buffer;
}

/** How long an ended session is kept. */
const ENDED_SESSION_DAYS = 7;

/** Stores a session and its first refresh token. */
export async function insertSession(tx: Tx, session: NewSession): Promise<void> {
  await tx
    .with('opened', (db) =>
      db.insertInto('sessions').values({
        id: session.id,
        user_id: session.userId,
        created_at: session.now,
        last_used_at: session.now,
        expires_at: session.expiresAt,
        proven_at: session.proof.at,
        amr: [...session.proof.amr],
        address: session.address,
        user_agent: session.userAgent,
      }),
    )
    .insertInto('refresh_tokens')
    .values({ hash: session.tokenHash, session_id: session.id, created_at: session.now })
    .execute();
}

/** Records a new authentication of the session's user. @returns false if the session has ended */
export async function markProven(db: Db, sessionId: string, { at, amr }: ProvenSession): Promise<boolean> {
  const result = await db
    .updateTable('sessions')
    .set({ proven_at: at, amr: [...amr] })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Adds methods to those by which the session's user has authenticated, without renewing the proof. */
export async function addMethods(tx: Tx, sessionId: string, amr: readonly string[]): Promise<void> {
  await sql`
    update sessions set amr = array(select distinct unnest(amr || ${amr}::text[]))
    where id = ${sessionId}`.execute(tx);
}

/** A session as its user sees it. */
export interface Session {
  id: string;
  createdAt: string;
  /** Time of the login or the last refresh. */
  lastUsedAt: string;
  expiresAt: string;
  address: string | null;
  userAgent: string | null;
}

/** Keeps the response small enough. */
const MAX_LISTED = 1000;

/** The user's active sessions, most recently used first. */
export async function listActiveSessions(db: Db, userId: string, now: Date): Promise<Session[]> {
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'created_at', 'last_used_at', 'expires_at', 'address', 'user_agent'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .limit(MAX_LISTED)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    address: row.address,
    userAgent: row.user_agent,
  }));
}

export type SessionChoice = 'all' | { only: string };

/** Revokes active sessions. @returns their ids */
export async function markRevoked(
  tx: Tx,
  userId: string,
  choice: SessionChoice,
  now: Date,
): Promise<string[]> {
  let query = tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now);
  if (choice !== 'all') query = query.where('id', '=', choice.only);
  const rows = await query.returning('id').execute();
  return rows.map(({ id }) => id).sort();
}

export async function isActive(tx: Tx, sessionId: string, now: Date): Promise<boolean> {
  const row = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Deletes all users' sessions that ended long ago, with their refresh tokens. @returns how many */
export async function purgeSessions(db: Db, now: Date, limit: number): Promise<number> {
  const endedBefore = new Date(now.getTime() - ENDED_SESSION_DAYS * DAY_MS);
  const { numAffectedRows } = await sql`
    delete from sessions where id = any(array(
      select id from sessions where least(expires_at, revoked_at) < ${endedBefore}
      order by least(expires_at, revoked_at) limit ${limit} for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}
