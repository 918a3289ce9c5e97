import { setImmediate as turn } from 'node:timers/promises';
import { Pool, type PoolClient } from 'pg';
import { DatabaseUnavailable } from './unavailable';

/** A connection that was idle for less than this needs no check of its socket. */
const QUIET_MS = 10;
/** A connection that was idle for longer is checked by a query first: the container may have been frozen. */
const CHECK_AFTER_MS = 1_000;
/** Idle time before the first TCP keep-alive probe. The default is two hours. */
const KEEP_ALIVE_AFTER_MS = 10_000;

export interface PoolOptions {
  url: string;
  poolSize: number;
  /** For opening a connection, and for waiting until one is free. */
  connectTimeoutMs: number;
  /** Called when a connection was dropped without any loss. */
  onDropped(error: Error): void;
}

export interface TakenClient {
  client: PoolClient;
  /** False: run a harmless query before anything that must not be lost. */
  trusted: boolean;
}

/**
 * A pool that does not assume idle connections are alive: the server may have closed them, or the network may have dropped
 * them, while the container was frozen.
 */
export class TrustedPool {
  readonly #pool: Pool;
  readonly #lastUse = new WeakMap<PoolClient, { at: number; drops: number }>();
  readonly #dead = new WeakSet<PoolClient>();
  readonly #onDropped: (error: Error) => void;
  /** Number of broken connections. What broke one may have broken all that were idle then. */
  #drops = 0;

  constructor({ url, poolSize, connectTimeoutMs, onDropped }: PoolOptions) {
    this.#onDropped = onDropped;
    this.#pool = new Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: connectTimeoutMs,
      // Statements of one transaction may be sent together, see inOneTrip.
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      // An idle connection must not keep a script running.
      allowExitOnIdle: true,
    });
    // Without these listeners, a restart of the database would end the process: the pool listens only on idle connections,
    // and one that breaks between two statements of a transaction is not idle. Its next statement fails.
    this.#pool.on('error', onDropped);
    this.#pool.on('connect', (client) => {
      client.on('error', () => void this.#dead.add(client));
      client.on('end', () => void this.#dead.add(client));
    });
  }

  /**
   * @param onlyNew opens a new connection even if others are idle
   * @throws DatabaseUnavailable if none can be opened, or none becomes free in time
   */
  async take(onlyNew = false): Promise<TakenClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((error: unknown) => {
        throw new DatabaseUnavailable(error, 'not_done');
      });
      const lastUse = this.#lastUse.get(client);
      if (!lastUse) return { client, trusted: true };
      if (!onlyNew && lastUse.drops === this.#drops) {
        // Wall clock time, which includes the time that the container was frozen. It may have been set back.
        const idleMs = Math.abs(Date.now() - lastUse.at);
        if (idleMs > QUIET_MS) await nextTurns();
        if (!this.#dead.has(client)) return { client, trusted: idleMs < CHECK_AFTER_MS };
      }
      destroy(client);
    }
  }

  /** Returns a connection to the pool, unless a transaction is still open on it. */
  giveBack(client: PoolClient): void {
    if (client.getTransactionStatus() === 'I') {
      this.#lastUse.set(client, { at: Date.now(), drops: this.#drops });
      client.release();
    } else destroy(client);
  }

  /** Closes a broken connection. Connections that were idle at that time are not used again. */
  drop(client: PoolClient, error: Error): void {
    this.#drops += 1;
    this.#onDropped(error);
    destroy(client);
  }

  isDead(client: PoolClient): boolean {
    return this.#dead.has(client);
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

/**
 * Lets Node.js read what arrived while the process was blocked: it polls sockets once per turn of the event loop, and the
 * current turn may be past that.
 */
export async function nextTurns(): Promise<void> {
  await turn();
  await turn();
}

/** Closes the socket immediately: a graceful close would wait for a peer that may be silent and keep the pool slot. */
function destroy(client: PoolClient): void {
  client.connection.stream.destroy();
  client.release(true);
}
