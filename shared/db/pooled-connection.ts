import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely';
import { DatabaseError, type QueryResult as PgResult, type PoolClient } from 'pg';
import { within } from '../within';
import type { StatementNames } from './statement-names';
import { nextTurns, type TrustedPool } from './trusted-pool';
import {
  DatabaseUnavailable,
  judge,
  NoAnswer,
  ReadOnly,
  type StatementOutcome,
  tooSlow,
} from './unavailable';

/** For what any server answers at once: with it, a silent path is found before anything depends on it. */
export const CHECK_TIMEOUT_MS = 1_000;
/** The server gives up a little before us: its answer leaves the connection in order, our silence ends it. */
const SERVER_SHARE = 0.9;

/** In milliseconds; 0 is no limit. */
export interface ConnectionLimits {
  /** How long a statement may take until its answer is there. */
  statementTimeoutMs: number;
  /** How long a statement may wait for a lock. */
  lockTimeoutMs: number;
  /** How long a transaction, and the locks that it holds, outlives a client that says nothing. */
  idleInTransactionTimeoutMs: number;
}

/**
 * A connection for one statement or one transaction, or for several statements in a row.
 *
 * It is replaced by a new one, once, where that can do no harm: while nothing has run on it yet, and what failed has
 * certainly no effect. So a transaction begins on a connection that answers and takes writes; a single statement is
 * repeated where it only reads, or where the server has refused it.
 */
export class PooledConnection implements DatabaseConnection {
  #client: PoolClient | undefined;
  #trusted = false;
  /** Something has run on it: what the session holds by now, another one would not. */
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

  /** @throws DatabaseUnavailable where the database is away, DomainError `unavailable` where it took too long */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { statementTimeoutMs } = this.limits;
    const readsOnly = /^\s*select\b/i.test(sql);
    const outcome = readsOnly || this.#inTransaction ? 'not_done' : 'unknown';
    let name = this.names?.nameOf(sql);
    const run = () => this.#run(sql, parameters, statementTimeoutMs, outcome, name);
    if (!this.#trusted) await this.#onceMore(() => this.#run('select 1', [], CHECK_TIMEOUT_MS, 'not_done'));
    const result = await this.#onceMore(run).catch((error: unknown) => {
      // In a transaction there is nothing to repeat: the server has ended it.
      if (name === undefined || this.#inTransaction || !isForgotten(error)) throw error;
      name = undefined;
      return this.#onceMore(run);
    });
    this.#used = true;
    return toQueryResult(result);
  }

  /** Tells the server the limits in the same round trip, for this transaction alone: poolers keep no session's. */
  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const modes = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean);
    const text = [
      ['begin', modes.join(', ')].join(' '),
      ...this.#serverLimits(),
      'show transaction_read_only',
    ].join('; ');
    let timeoutMs = CHECK_TIMEOUT_MS;
    await this.#onceMore(async () => {
      const result = await this.#run(text, [], timeoutMs, 'not_done');
      // On a busy machine it was only slow: a new connection gets the time of any statement.
      timeoutMs = this.limits.statementTimeoutMs;
      // The server answers each of several statements: the last one is SHOW.
      const [readOnly] = [result].flat().at(-1)?.rows ?? [];
      if (readOnly?.transaction_read_only === 'on' && accessMode !== 'read only')
        throw this.#explain(new ReadOnly(), 'not_done');
    });
    this.#inTransaction = true;
    this.#used = true;
  }

  /** @throws DatabaseUnavailable, its outcome `unknown` where the answer was lost: the transaction may have committed */
  async commit(): Promise<void> {
    await this.#run('commit', [], this.limits.statementTimeoutMs, 'unknown');
    this.#inTransaction = false;
  }

  /** Never throws: a transaction that cannot be rolled back ends with its connection. */
  async rollback(): Promise<void> {
    await this.#run('rollback', [], this.limits.statementTimeoutMs, 'not_done').catch(() => {});
    this.#inTransaction = false;
  }

  release(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    if (this.#lost) this.pool.drop(client, this.#lost);
    else this.pool.giveBack(client);
  }

  // biome-ignore lint/correctness/useYield: kysely's interface has it, and nothing here streams
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Rows are not streamed: read them in pages');
  }

  async #take(onlyNew = false): Promise<void> {
    const { client, trusted } = await this.pool.take(onlyNew);
    this.#client = client;
    this.#trusted = trusted;
  }

  /** Runs it, and once more on a new connection where the first one turned out to be useless. */
  async #onceMore<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error !== this.#lost || !this.#mayRepeat()) throw error;
      this.release();
      // Where none can be had, this is what is told: the reason of now, not that of the one before.
      await this.#take(true);
      this.#lost = undefined;
      return await run();
    }
  }

  #mayRepeat(): boolean {
    if (this.#used || this.#lost?.outcome !== 'not_done') return false;
    // Whoever has waited for a whole statement has no time left for another one.
    const { cause } = this.#lost;
    return !(cause instanceof NoAnswer && cause.ms > CHECK_TIMEOUT_MS);
  }

  async #run(
    text: string,
    values: readonly unknown[],
    timeoutMs: number,
    outcome: StatementOutcome,
    name?: string,
  ): Promise<PgResult> {
    if (this.#lost) throw this.#lost;
    if (!this.#client) throw new Error('The connection was released');
    try {
      const result = await inTime(
        this.#client.query({ text, values: [...values], ...(name !== undefined && { name }) }),
        timeoutMs,
      );
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
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    };
    return Object.entries(limits).flatMap(([name, ms]) => (ms === 0 ? [] : [`set local ${name} = ${ms}`]));
  }
}

/** `26000`: a pooler has given the session to somebody else, or ended it. The statement was not run. */
function isForgotten(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '26000';
}

const LATE = Symbol('late');

/** @throws NoAnswer */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  if (ms === 0) return answer;
  // Nobody listens to what comes after the time.
  answer.catch(() => {});
  const result = await within(ms, answer, LATE);
  if (result !== LATE) return result;
  // It is the process that may have stood still, and the answer only waits to be read.
  const late = await Promise.race([answer, nextTurns().then(() => LATE)] as const);
  if (late === LATE) throw new NoAnswer(ms);
  return late as T;
}

const COUNTED = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'];

function toQueryResult<R>({ command, rowCount, rows }: PgResult): QueryResult<R> {
  return { rows, ...(COUNTED.includes(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
}
