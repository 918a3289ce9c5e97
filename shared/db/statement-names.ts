import { createHash } from 'node:crypto';

/** From this use on a statement is prepared: one that comes once or twice would cost a plan and memory for nothing. */
const PREPARED_FROM = 3;
/** Each takes memory in every connection's server process. Rollcall has some 150; lists of ids make a few more. */
const MAX_NAMES = 300;
/** A prepared statement keeps its columns: after a migration has added one to `*`, the server refuses it. */
const TAKES_ALL_COLUMNS = /(select|returning|\.)\s*\*/i;

/**
 * Names under which the server keeps the plans of statements that come often: planning takes longer than the statement
 * for most of ours.
 */
export class StatementNames {
  readonly #uses = new Map<string, number>();
  readonly #names = new Map<string, string>();

  /** @returns undefined for a statement that is to be planned anew */
  nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    if (this.#names.size === MAX_NAMES || TAKES_ALL_COLUMNS.test(sql)) return undefined;
    const uses = (this.#uses.get(sql) ?? 0) + 1;
    if (uses < PREPARED_FROM) {
      // What comes only once must not fill the memory of this process either.
      if (this.#uses.size > MAX_NAMES) this.#uses.clear();
      this.#uses.set(sql, uses);
      return undefined;
    }
    this.#uses.delete(sql);
    const name = `rollcall_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
    this.#names.set(sql, name);
    return name;
  }
}
