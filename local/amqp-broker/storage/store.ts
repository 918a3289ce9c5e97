import type { Change } from '../model/changes';
import { asAmqpError } from '../model/values/errors';
import type { VirtualHost } from '../model/vhost';
import { Journal, type Written } from './journal';
import { recordOf } from './records';
import { Restore } from './restore';
import { snapshot } from './snapshot';

/** How long until a journal that could not be written is tried again. */
const RETRY_MS = 1_000;

export interface StoreOptions {
  readonly vhosts: ReadonlyMap<string, VirtualHost>;
  /** The virtual host of this name, created if it does not exist yet. */
  vhost(name: string): VirtualHost;
  /** Called when there is something to flush. */
  onRecord(): void;
  /** Called when the journal cannot be written; `onRecovery` follows once it can be. */
  onFailure(): void;
  onRecovery(): void;
  log(line: string): void;
}

/** Restores the virtual hosts from a journal, and records their changes in it. */
export class Store {
  readonly #journal: Journal;
  #retrying: NodeJS.Timeout | undefined;

  /** Throws with `code: 'EDATADIRINUSE'` if another live broker holds the directory. */
  constructor(
    directory: string,
    private readonly options: StoreOptions,
  ) {
    this.#journal = new Journal(directory, () => options.onRecord());
  }

  /** Restores the virtual hosts, then rewrites the journal so that it holds only what they contain. */
  restore(): void {
    const { vhost, vhosts, log } = this.options;
    const restore = new Restore(vhost);
    const torn = this.#journal.replay((record, body) => restore.apply(record, body));
    restore.finish();
    if (torn > 0) log(`journal: cut off ${torn} bytes that an earlier broker did not finish writing`);
    this.#journal.rewrite(snapshot(vhosts.values()));
  }

  record(vhost: string, change: Change): void {
    const record = recordOf(vhost, change);
    if (record) this.#journal.append(record);
  }

  /** Writes what was recorded since the last flush. After a failure it is tried again every second. */
  flush(): Written {
    const { vhosts, log, onFailure } = this.options;
    const written = this.#journal.flush();
    if (written === 'failed' && !this.#retrying) {
      log(`journal: ${asAmqpError(this.#journal.failure).text}`);
      onFailure();
      this.#retrying = setInterval(() => this.#retry(), RETRY_MS);
    }
    // If a compaction fails (a full disk), the longer journal stays in use; it holds the same state.
    if (this.#journal.isLong) {
      this.#journal.compact(snapshot(vhosts.values()), (error) => log(`journal: ${asAmqpError(error).text}`));
    }
    return written;
  }

  close(): void {
    clearInterval(this.#retrying);
    this.#journal.close();
  }

  #retry(): void {
    if (!this.#journal.retry()) return;
    clearInterval(this.#retrying);
    this.#retrying = undefined;
    this.options.log('journal: can be written again');
    this.options.onRecovery();
  }
}
