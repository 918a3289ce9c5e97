import { sql } from 'kysely';
import type { Db } from '../db/connection';

/** By table: what identifies a row, and when it is of no use any more. Each has an index on that time. */
const EXPIRING = {
  email_tokens: { key: 'hash', expiry: 'expires_at' },
  mailed_codes: { key: 'hash', expiry: 'expires_at' },
  factor_challenges: { key: 'hash', expiry: 'expires_at' },
  passkey_challenges: { key: 'hash', expiry: 'expires_at' },
  sign_in_codes: { key: 'hash', expiry: 'expires_at' },
  idempotency_keys: { key: 'key', expiry: 'expires_at' },
  rate_limits: { key: 'key', expiry: 'resets_at' },
  former_emails: { key: 'ctid', expiry: 'restorable_until' },
  export_cases: { key: 'id', expiry: 'expires_at' },
} as const;

/** Deletes the rows that expired before this time, the oldest first, except those that are in use. @returns how many */
export async function purgeExpired(
  db: Db,
  table: keyof typeof EXPIRING,
  before: Date,
  limit: number,
): Promise<number> {
  const [name, key, expiry] = [
    sql.table(table),
    sql.ref(EXPIRING[table].key),
    sql.ref(EXPIRING[table].expiry),
  ];
  const { numAffectedRows } = await sql`
    delete from ${name} where ${key} = any(array(
      select ${key} from ${name} where ${expiry} <= ${before}
      order by ${expiry} limit ${limit} for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}
