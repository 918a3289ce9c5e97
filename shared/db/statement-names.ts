import { createHash } from 'node:crypto';

/** A statement is prepared from this use on: preparing rare statements would cost a plan and memory for nothing. */
const PREPARED_FROM = 3;
/** Each one takes memory in every server process. Rollcall has about 150 statements, plus variants for lists of ids. */
const MAX_NAMES = 300;
/** A prepared statement has fixed columns: the server rejects one with `*` after a migration has added a column. */
const TAKES_ALL_COLUMNS = /(select|returning|\.)\s*\*/i;

/**
 * The planner sees how long a list is that is a parameter, and takes a list of any length for ten elements. So the plan for
 * one element always looks cheaper, and every use is planned anew. A list from a subquery has a length that it never sees.
 */
const LIST = /\$\d+::(\w+)\[\]/g;

/** A statement as it is sent. */
export interface Statement {
  text: string;
  /** Missing: not prepared. */
  name?: string;
}

/**
 * Which statements are prepared. For most of our statements, planning takes longer than the execution, so frequent ones are.
 */
export class StatementNames {
  readonly #uses = new Map<string, number>();
  readonly #prepared = new Map<string, Statement>();

  statementOf(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const text = sql.replace(LIST, (list, type) => `(select ${list})::${type}[]`);
    if (this.#prepared.size === MAX_NAMES || TAKES_ALL_COLUMNS.test(sql)) return { text };
    const uses = (this.#uses.get(sql) ?? 0) + 1;
    if (uses < PREPARED_FROM) {
      // Statements that are used only once must not fill the memory.
      if (this.#uses.size > MAX_NAMES) this.#uses.clear();
      this.#uses.set(sql, uses);
      return { text };
    }
    this.#uses.delete(sql);
    const name = `rollcall_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    const statement = { text, name };
    this.#prepared.set(sql, statement);
    return statement;
  }
}
