import { createHmac } from 'node:crypto';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendAuditEntry } from './audit-store';

/** Long enough to distinguish names and to find all entries of one. */
const NAME_HASH_BYTES = 16;

export interface FailedSignIn {
  /** The normalized name under which guesses are counted; of a passkey, its credential id. */
  name: string;
  /** The user with this name; null if there is none. */
  userId: string | null;
  method: 'login' | 'proof' | 'factor' | 'passkey' | 'mailed_code';
  /**
   * `slowed`: rejected without regard to the password, after too many wrong guesses. `suspended`: the proof was right, and
   * the user may not sign in.
   */
  reason:
    | 'wrong_password'
    | 'unknown_name'
    | 'slowed'
    | 'wrong_code'
    | 'wrong_assertion'
    | 'unknown_passkey'
    | 'suspended';
}

/**
 * Writes a failed login, password check or code to the audit log (ASVS 5.0, 16.3.1). Not an event: anyone can cause it, and
 * no subscriber should receive it. Call it only after computing a password hash or comparing a code: what limits those then
 * also limits the rows.
 */
export async function recordFailedSignIn(ctx: Context, failed: FailedSignIn, origin: Origin): Promise<void> {
  const { name, userId, method, reason } = failed;
  // Keyed: people type passwords into the name field, and names are few enough to try them all against a plain hash.
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
