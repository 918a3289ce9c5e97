import { setImmediate as turn } from 'node:timers/promises';
import { Pool, type PoolClient } from 'pg';
import { DatabaseUnavailable } from './unavailable';

/** A connection that was idle for less than this is taken to be as it was. */
const QUIET_MS = 10;
/** One that was idle for longer is asked first: a frozen container and an idle one look alike. */
const CHECK_AFTER_MS = 1_000;
/** TCP asks an idle peer after this, and gives it up ten seconds later. Without it, after two hours. */
const KEEP_ALIVE_AFTER_MS = 10_000;

export interface PoolOptions {
  url: string;
  poolSize: number;
  /** For opening a connection, and for waiting until one is free. */
  connectTimeoutMs: number;
  /** Told why a connection was dropped that nobody lost anything with. */
  onDropped(error: Error): void;
}

export interface TakenClient {
  client: PoolClient;
  /** False: ask it something harmless before anything that must not be lost. */
  trusted: boolean;
}

/**
 * A pool of connections whose use is no proof that they live: the server may have ended them, or the path gone silent,
 * while the container was frozen.
 */
export class TrustedPool {
  readonly #pool: Pool;
  readonly #lastUse = new WeakMap<PoolClient, { at: number; drops: number }>();
  readonly #dead = new WeakSet<PoolClient>();
  readonly #onDropped: (error: Error) => void;
  /** How many broke so far. What broke one may have broken all that were idle then. */
  #drops = 0;

  constructor({ url, poolSize, connectTimeoutMs, onDropped }: PoolOptions) {
    this.#onDropped = onDropped;
    this.#pool = new Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      // An idle connection must not keep a script from ending; a server has other reasons to stay.
      allowExitOnIdle: true,
    });
    // Without listeners, a restart of the database would end the process: the pool hears of idle connections only, and
    // one that breaks between two statements of a transaction is not idle. Its next statement fails.
    this.#pool.on('error', onDropped);
    this.#pool.on('connect', (client) => {
      client.on('error', () => void this.#dead.add(client));
      client.on('end', () => void this.#dead.add(client));
    });
  }

  /**
   * @param onlyNew opens a connection, also where others are idle
   * @throws DatabaseUnavailable where none can be opened, or none becomes free in time
   */
  async take(onlyNew = false): Promise<TakenClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((error: unknown) => {
        throw new DatabaseUnavailable(error, 'not_done');
      });
      const lastUse = this.#lastUse.get(client);
      if (!lastUse) return { client, trusted: true };
      if (!onlyNew && lastUse.drops === this.#drops) {
        // The wall clock, which alone goes on in a frozen machine. Set back, it says nothing.
        const idleMs = Math.abs(Date.now() - lastUse.at);
        if (idleMs > QUIET_MS) await nextTurns();
        if (!this.#dead.has(client)) return { client, trusted: idleMs < CHECK_AFTER_MS };
      }
      destroy(client);
    }
  }

  /** Back to the others, unless a transaction is still open on it. */
  giveBack(client: PoolClient): void {
    if (client.getTransactionStatus() === 'I') {
      this.#lastUse.set(client, { at: Date.now(), drops: this.#drops });
      client.release();
    } else destroy(client);
  }

  /** For one that broke: it is ended, and those that were idle meanwhile are not used again. */
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
 * Has what arrived while the process stood still be read: Node.js looks at its sockets once in each turn of the event
 * loop, and the present turn may be past that.
 */
export async function nextTurns(): Promise<void> {
  await turn();
  await turn();
}

/** At once: the farewell of a graceful end would wait for a peer that may be silent, and the free place with it. */
function destroy(client: PoolClient): void {
  client.connection.stream.destroy();
  client.release(true);
}
