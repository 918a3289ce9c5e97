import { createHmac } from 'node:crypto';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendAuditEntry } from './audit-store';

/** Long enough to tell names apart, and to find all entries of one. */
const NAME_HASH_BYTES = 16;

export interface FailedSignIn {
  /** What was given as a name, in the one form in which guesses at it are counted. */
  name: string;
  /** Whose password it would have been; null: nobody's. */
  userId: string | null;
  method: 'login' | 'proof';
  /** `slowed`: refused, right or wrong, after too many wrong ones. */
  reason: 'wrong_password' | 'unknown_name' | 'slowed';
}

/**
 * Writes a failed login, or proof of a password, into the audit log (ASVS 5.0, 16.3.1). Straight into the log and not by
 * an event: strangers make these, and no subscriber should hear of them. Call it after a password hash was computed, and
 * only then: that takes tens of milliseconds, and what limits it limits the rows.
 */
export async function recordFailedSignIn(ctx: Context, failed: FailedSignIn, origin: Origin): Promise<void> {
  const { name, userId, method, reason } = failed;
  // Keyed: people type passwords where the name goes, and names are few enough to try them all on a plain hash.
  const nameHash = createHmac('sha256', ctx.config.audit.secret).update(name).digest();
  await appendAuditEntry(ctx.db, {
    id: ctx.newId(),
    type: 'session.failed',
    subject: userId,
    time: ctx.now(),
    origin,
    details: { nameHash: nameHash.subarray(0, NAME_HASH_BYTES).toString('hex'), method, reason },
  });
}

/** Writes a right proof of a password into the audit log. (A login is the event `session.created`.) */
export async function recordProof(
  ctx: Context,
  { userId, sessionId }: { userId: string; sessionId: string },
  origin: Origin,
): Promise<void> {
  await appendAuditEntry(ctx.db, {
    id: ctx.newId(),
    type: 'session.proven',
    subject: userId,
    time: ctx.now(),
    origin,
    details: { sessionId, method: 'proof' },
  });
}
