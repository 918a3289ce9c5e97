import { DatabaseError } from 'pg';
import { DomainError } from '../errors';

/** Soon enough for a connection that was replaced; a failover of the database takes some more tries. */
const RETRY_AFTER_SECONDS = 2;

/**
 * What became of the statement that the database did not answer:
 * - `not_done`: it has no effect, because it was refused, only read, or was part of a transaction that never commits
 * - `unknown`: a write or a COMMIT whose answer was lost. It must not be repeated blindly
 */
export type StatementOutcome = 'not_done' | 'unknown';

/** The database is away, silent, read-only or full: 503 with `Retry-After` for a request, a pause for everyone else. */
export class DatabaseUnavailable extends DomainError {
  constructor(
    cause: unknown,
    readonly outcome: StatementOutcome,
  ) {
    super('unavailable', detailsOf(outcome), { cause });
    this.name = 'DatabaseUnavailable';
    // The detail is for clients, the message for the log alone.
    this.message = `${this.details.detail}: ${reasonOf(cause)}`;
  }
}

function reasonOf(cause: unknown): string {
  // Of a connection refused by several addresses, Node.js puts everything into the parts.
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}

/** The server ended one statement that took or waited too long. The database itself is there. */
export function tooSlow(cause: unknown): DomainError {
  return new DomainError('unavailable', detailsOf('not_done'), { cause });
}

/** Whether a statement was ended because another transaction kept the lock that it needs. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DomainError && error.cause instanceof DatabaseError && error.cause.code === '55P03';
}

/** Whether a transaction was ended because it and others waited for one another's locks. It may be repeated. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '40P01';
}

/**
 * By SQLSTATE (PostgreSQL, appendix A), or by what took its place:
 *
 * | verdict     | connection | errors                                                                          |
 * | ----------- | ---------- | ------------------------------------------------------------------------------- |
 * | `lost`      | dropped    | 08*, 57P01 to 57P05, 25P03, 25P04, whatever the server calls fatal, a dead socket, no answer in time |
 * | `read_only` | dropped    | 25006: a primary that was demoted, or told to refuse writes                     |
 * | `full`      | kept       | 53*: connections, memory, disk                                                  |
 * | `too_slow`  | kept       | 57014 and 55P03: `statement_timeout` and `lock_timeout`                          |
 * | `statement` | kept       | everything else: the statement itself is to blame                               |
 */
export type Verdict = 'lost' | 'read_only' | 'full' | 'too_slow' | 'statement';

/** @param isDead whether the socket under the connection has ended */
export function judge(error: unknown, isDead: boolean): Verdict {
  if (isDead || error instanceof NoAnswer) return 'lost';
  if (error instanceof ReadOnly) return 'read_only';
  if (!(error instanceof DatabaseError)) return 'statement';
  const { code = '', severity } = error;
  if (/^(08|57P0|25P0[34])/.test(code) || severity === 'FATAL' || severity === 'PANIC') return 'lost';
  if (code === '25006') return 'read_only';
  if (code.startsWith('53')) return 'full';
  return code === '57014' || code === '55P03' ? 'too_slow' : 'statement';
}

/** A statement's answer has not come in time. */
export class NoAnswer extends Error {
  constructor(readonly ms: number) {
    super(`The database did not answer within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/** What a transaction finds out when it begins, before any of its statements is refused. */
export class ReadOnly extends Error {
  constructor() {
    super('The database takes no writes: it is a standby, or default_transaction_read_only is on');
    this.name = 'ReadOnly';
  }
}

function detailsOf(outcome: StatementOutcome) {
  const detail =
    outcome === 'not_done'
      ? 'The database is not available right now'
      : 'The database did not say whether the change was made: read it before you send it again, or send it again with the same Idempotency-Key';
  return { detail, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
}
