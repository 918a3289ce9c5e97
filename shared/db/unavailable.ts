import { DatabaseError } from 'pg';
import { DomainError } from '../errors';

/** Enough to replace a connection; a database failover takes some more retries. */
const RETRY_AFTER_SECONDS = 2;

/**
 * The outcome of a statement without a reply:
 * - `not_done`: no effect, because it was rejected, only read, or was part of a transaction that never commits
 * - `unknown`: a write or COMMIT whose reply was lost. It must not be repeated blindly
 */
export type StatementOutcome = 'not_done' | 'unknown';

/** The database is unreachable, silent, read-only or full: 503 with `Retry-After` for requests, a pause for tasks. */
export class DatabaseUnavailable extends DomainError {
  constructor(
    cause: unknown,
    readonly outcome: StatementOutcome,
  ) {
    super('unavailable', detailsOf(outcome), { cause });
    this.name = 'DatabaseUnavailable';
    // The detail is for clients, the message only for the log.
    this.message = `${this.details.detail}: ${reasonOf(cause)}`;
  }
}

function reasonOf(cause: unknown): string {
  // If several addresses refuse a connection, the AggregateError itself has no message.
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}

/** The server cancelled one statement that took or waited too long. The database itself is available. */
export function tooSlow(cause: unknown): DomainError {
  return new DomainError('unavailable', detailsOf('not_done'), { cause });
}

/** Whether a statement was cancelled because another transaction held a lock that it needs. */
export function isLockTimeout(error: unknown): error is DomainError {
  return error instanceof DomainError && error.cause instanceof DatabaseError && error.cause.code === '55P03';
}

/** Whether a transaction was ended because it and others waited for one another's locks. It may be repeated. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '40P01';
}

/**
 * By SQLSTATE (PostgreSQL, appendix A) or socket error:
 *
 * | verdict     | connection | errors                                                                          |
 * | ----------- | ---------- | ------------------------------------------------------------------------------- |
 * | `lost`      | dropped    | 08*, 57P01 to 57P05, 25P03, 25P04, any fatal error, a dead socket, no reply in time |
 * | `read_only` | dropped    | 25006: a demoted primary, or one set to read-only                               |
 * | `full`      | kept       | 53*: connections, memory, disk                                                  |
 * | `too_slow`  | kept       | 57014 and 55P03: `statement_timeout` and `lock_timeout`                          |
 * | `statement` | kept       | everything else: the statement itself is the cause                              |
 */
export type Verdict = 'lost' | 'read_only' | 'full' | 'too_slow' | 'statement';

/** @param isDead whether the socket under the connection has ended */
export function judge(error: unknown, isDead: boolean): Verdict {
  if (isDead || error instanceof NoReply) return 'lost';
  if (error instanceof ReadOnly) return 'read_only';
  if (!(error instanceof DatabaseError)) return 'statement';
  const { code = '', severity } = error;
  if (/^(08|57P0|25P0[34])/.test(code) || severity === 'FATAL' || severity === 'PANIC') return 'lost';
  if (code === '25006') return 'read_only';
  if (code.startsWith('53')) return 'full';
  return code === '57014' || code === '55P03' ? 'too_slow' : 'statement';
}

/** A statement got no reply in time. */
export class NoReply extends Error {
  constructor(readonly ms: number) {
    super(`The database did not reply within ${ms} ms`);
    this.name = 'NoReply';
  }
}

/** Detected when a transaction begins, before one of its statements fails. */
export class ReadOnly extends Error {
  constructor() {
    super('The database is read-only: it is a standby, or default_transaction_read_only is on');
    this.name = 'ReadOnly';
  }
}

function detailsOf(outcome: StatementOutcome) {
  const detail =
    outcome === 'not_done'
      ? 'The database is temporarily unavailable'
      : 'It is unknown whether the change was made. Read the record before you retry, or retry with the same Idempotency-Key';
  return { detail, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
}
