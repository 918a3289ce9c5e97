import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'libsql';

/** An example's process, the lines that it logs, and its database. */
export class ConsumerProcess {
  readonly lines: string[] = [];
  readonly #directory: string;
  readonly #command: string[];
  readonly #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #wake: () => void = () => {};

  private constructor(directory: string, command: string[], environment: Record<string, string>) {
    this.#directory = directory;
    this.#command = command;
    this.#environment = environment;
  }

  static async create(command: string[], environment: Record<string, string>): Promise<ConsumerProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'rollcall-consumer-'));
    return new ConsumerProcess(directory, command, environment);
  }

  /** Starts it, again after `kill`. Resolves once it consumes. */
  async start(): Promise<void> {
    this.lines.length = 0;
    const [command = '', ...args] = this.#command;
    const { PATH = '', HOME = '' } = process.env;
    const own = { DATABASE: join(this.#directory, 'newsletter.db'), PYTHONDONTWRITEBYTECODE: '1' };
    const env = { PATH, HOME, ...own, ...this.#environment };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        this.lines.push(line);
        this.#wake();
      });
    }
    child.once('exit', () => this.#wake());
    await this.logs('consuming');
  }

  /**
   * Waits until so many lines contain the text; the test's own time limit is the limit.
   * @throws Error if the process ends before
   */
  async logs(text: string, times = 1): Promise<void> {
    while (this.lines.filter((line) => line.includes(text)).length < times) {
      if (this.#child?.exitCode != null) throw new Error(`It ended:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The values of the rows in its database. */
  query(sql: string): unknown[] {
    const db = new Database(join(this.#directory, 'newsletter.db'), { readonly: true, timeout: 60_000 });
    try {
      return db.prepare(sql).raw().all();
    } finally {
      db.close();
    }
  }

  users(): unknown[] {
    return this.query('select id, username, email from users order by id');
  }

  /** Makes its database refuse it, until this connection is closed. */
  lock(): { close(): void } {
    const db = new Database(join(this.#directory, 'newsletter.db'), { timeout: 60_000 });
    db.exec('begin exclusive');
    return db;
  }

  /** Which of the texts are anywhere in the bytes of its files. */
  leftovers(texts: string[]): string[] {
    const files = readdirSync(this.#directory).map((name) => readFileSync(join(this.#directory, name)));
    return texts.filter((text) => files.some((file) => file.includes(text)));
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
