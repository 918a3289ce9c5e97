import { createHash } from 'node:crypto';

/** A statement is prepared from this use on: preparing rare statements would cost a plan and memory for nothing. */
const PREPARED_FROM = 3;
/** Each one takes memory in every server process. Rollcall has about 150 statements, plus variants for lists of ids. */
const MAX_NAMES = 300;
/** A prepared statement has fixed columns: the server rejects one with `*` after a migration has added a column. */
const TAKES_ALL_COLUMNS = /(select|returning|\.)\s*\*/i;

/**
 * Names for prepared statements. For most of our statements, planning takes longer than the execution, so frequent ones are
 * prepared.
 */
export class StatementNames {
  readonly #uses = new Map<string, number>();
  readonly #names = new Map<string, string>();

  /** @returns undefined for a statement that should not be prepared */
  nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    if (this.#names.size === MAX_NAMES || TAKES_ALL_COLUMNS.test(sql)) return undefined;
    const uses = (this.#uses.get(sql) ?? 0) + 1;
    if (uses < PREPARED_FROM) {
      // Statements that are used only once must not fill the memory.
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
