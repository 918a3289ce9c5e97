import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely';
import { DatabaseError, type QueryResult as PgResult, type PoolClient } from 'pg';
import { within } from '../within';
import type { Statement, StatementNames } from './statement-names';
import { nextTurns, type TrustedPool } from './trusted-pool';
import { DatabaseUnavailable, judge, NoReply, ReadOnly, type StatementOutcome, tooSlow } from './unavailable';

/** Timeout for statements that every server answers at once; detects a dead connection before anything depends on it. */
export const CHECK_TIMEOUT_MS = 1_000;
/** The server's timeout is shorter than ours: after its error the connection is usable, after our timeout it is not. */
const SERVER_SHARE = 0.9;
/** A wait for a lock ends before its statement does: it is told apart from slowness, and counts no attempt of a consumer. */
const LOCK_SHARE = 0.8;

/** In milliseconds; 0 means no limit. */
export interface ConnectionLimits {
  /** Maximum time of a statement until its result arrives. */
  statementTimeoutMs: number;
  /** Maximum wait for a lock; not more than four fifths of a statement's time. */
  lockTimeoutMs: number;
  /** How long a transaction of a silent client keeps its locks. */
  idleInTransactionTimeoutMs: number;
}

/**
 * A connection for one statement, one transaction or several statements in sequence.
 *
 * Replaces a broken connection by a new one, once, if that is safe: nothing has run on it yet, and the failed statement
 * certainly had no effect. So a transaction begins on a connection that responds and accepts writes, and a single
 * statement is repeated only if it reads or if the server rejected it.
 *
 * Statements that are sent in the same turn of the event loop share one round trip: PostgreSQL executes them in order.
 */
export class PooledConnection implements DatabaseConnection {
  #client: PoolClient | undefined;
  #trusted = false;
  /** Something has run on it, so the session may have state that another one would lack. */
  #used = false;
  #inTransaction = false;
  #lost: DatabaseUnavailable | undefined;

  private constructor(
    private readonly pool: TrustedPool,
    private readonly limits: ConnectionLimits,
    private readonly names: StatementNames | null,
  ) {}

  /**
   * @param names of prepared statements; null: none are prepared
   * @throws DatabaseUnavailable
   */
  static async open(
    pool: TrustedPool,
    limits: ConnectionLimits,
    names: StatementNames | null = null,
  ): Promise<PooledConnection> {
    const connection = new PooledConnection(pool, limits, names);
    await connection.#take();
    return connection;
  }

  /** @throws DatabaseUnavailable, or DomainError `unavailable` for a statement that took too long */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { statementTimeoutMs } = this.limits;
    const readsOnly = /^\s*select\b/i.test(sql);
    const outcome = readsOnly || this.#inTransaction ? 'not_done' : 'unknown';
    let statement: Statement = this.names?.statementOf(sql) ?? { text: sql };
    const run = () => this.#run(statement, parameters, statementTimeoutMs, outcome);
    if (!this.#trusted)
      await this.#withReplacement(() => this.#run({ text: 'select 1' }, [], CHECK_TIMEOUT_MS, 'not_done'));
    const result = await this.#withReplacement(run).catch((error: unknown) => {
      // Inside a transaction a repetition is impossible: the server has aborted it.
      if (statement.name === undefined || this.#inTransaction || !isForgotten(error)) throw error;
      statement = { text: statement.text };
      return this.#withReplacement(run);
    });
    this.#used = true;
    return toQueryResult(result);
  }

  /** Sets the limits in the same round trip and for this transaction only, because poolers do not keep session settings. */
  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const modes = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean);
    const text = [
      ['begin', modes.join(', ')].join(' '),
      ...this.#serverLimits(),
      'show transaction_read_only',
    ].join('; ');
    let timeoutMs = CHECK_TIMEOUT_MS;
    await this.#withReplacement(async () => {
      const result = await this.#run({ text }, [], timeoutMs, 'not_done');
      // On a busy machine it may just have been slow, so the second attempt gets the full statement timeout.
      timeoutMs = this.limits.statementTimeoutMs;
      // One result per statement; the last one is that of SHOW.
      const [readOnly] = [result].flat().at(-1)?.rows ?? [];
      if (readOnly?.transaction_read_only === 'on' && accessMode !== 'read only')
        throw this.#explain(new ReadOnly(), 'not_done');
    });
    this.#inTransaction = true;
    this.#used = true;
  }

  /** @throws DatabaseUnavailable with outcome `unknown` if the reply was lost: the transaction may have committed */
  async commit(): Promise<void> {
    await this.#run({ text: 'commit' }, [], this.limits.statementTimeoutMs, 'unknown');
    this.#inTransaction = false;
  }

  /** Never throws: if the rollback fails, the transaction ends with its connection. */
  async rollback(): Promise<void> {
    await this.#run({ text: 'rollback' }, [], this.limits.statementTimeoutMs, 'not_done').catch(() => {});
    this.#inTransaction = false;
  }

  release(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    if (this.#lost) this.pool.drop(client, this.#lost);
    else this.pool.giveBack(client);
  }

  // biome-ignore lint/correctness/useYield: required by kysely's interface, but streaming is not supported
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Streaming is not supported: read the rows in pages');
  }

  async #take(onlyNew = false): Promise<void> {
    const { client, trusted } = await this.pool.take(onlyNew);
    this.#client = client;
    this.#trusted = trusted;
  }

  /** Runs it, and again on a new connection if the first one was broken and a repetition is safe. */
  async #withReplacement<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error !== this.#lost || !this.#mayRepeat()) throw error;
      this.release();
      // If this fails, its error is thrown: the current reason, not the earlier one.
      await this.#take(true);
      this.#lost = undefined;
      return await run();
    }
  }

  #mayRepeat(): boolean {
    if (this.#used || this.#lost?.outcome !== 'not_done') return false;
    // After a full statement timeout, the caller has no time left for a repetition.
    const { cause } = this.#lost;
    return !(cause instanceof NoReply && cause.ms > CHECK_TIMEOUT_MS);
  }

  async #run(
    statement: Statement,
    values: readonly unknown[],
    timeoutMs: number,
    outcome: StatementOutcome,
  ): Promise<PgResult> {
    if (this.#lost) throw this.#lost;
    if (!this.#client) throw new Error('The connection was released');
    const { stream } = this.#client.connection;
    // One packet for all that is sent in this turn.
    stream.cork();
    process.nextTick(() => stream.uncork());
    try {
      const result = await inTime(this.#client.query({ ...statement, values: [...values] }), timeoutMs);
      this.#trusted = true;
      return result;
    } catch (error) {
      throw this.#explain(error, outcome);
    }
  }

  #explain(error: unknown, outcome: StatementOutcome): unknown {
    const verdict = judge(error, this.#client !== undefined && this.pool.isDead(this.#client));
    if (verdict === 'statement') return error;
    if (verdict === 'too_slow') return tooSlow(error);
    if (verdict === 'full') return new DatabaseUnavailable(error, 'not_done');
    this.#lost = new DatabaseUnavailable(error, verdict === 'read_only' ? 'not_done' : outcome);
    return this.#lost;
  }

  #serverLimits(): string[] {
    const { statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs } = this.limits;
    const limits = {
      statement_timeout: Math.ceil(statementTimeoutMs * SERVER_SHARE),
      lock_timeout:
        statementTimeoutMs === 0
          ? lockTimeoutMs
          : Math.min(lockTimeoutMs, Math.ceil(statementTimeoutMs * LOCK_SHARE)),
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    };
    return Object.entries(limits).flatMap(([name, ms]) => (ms === 0 ? [] : [`set local ${name} = ${ms}`]));
  }
}

/** `26000`: a pooler has switched the session, so the prepared statement is unknown. The statement was not executed. */
function isForgotten(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '26000';
}

const LATE = Symbol('late');

/** @throws NoReply */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  if (ms === 0) return answer;
  // After the timeout, nobody handles a rejection.
  answer.catch(() => {});
  const result = await within(ms, answer, LATE);
  if (result !== LATE) return result;
  // The process itself may have been blocked, and the reply may only wait to be read.
  const late = await Promise.race([answer, nextTurns().then(() => LATE)] as const);
  if (late === LATE) throw new NoReply(ms);
  return late as T;
}

const COUNTED = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'];

function toQueryResult<R>({ command, rowCount, rows }: PgResult): QueryResult<R> {
  return { rows, ...(COUNTED.includes(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
}
