import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context/context';
import { importBatch, type NumberedUser, type Problem } from './import-batch';
import { lineParser } from './import-line';
import { advanceImport, beginImport, type ImportProgress, listRoleNames } from './import-store';
import { type Line, MAX_LINE_BYTES, readLines } from './read-lines';

/** Fits well into the 65,535 parameters of a statement. */
const BATCH_LINES = 1000;

export interface ImportWatcher {
  /** Called with the number of lines that an earlier run has imported and reported. */
  resumed(lines: number): void;
  problem(line: number, message: string): void;
  progress(done: ImportProgress, totalBytes: number): void;
}

export interface ImportResult extends ImportProgress {
  /** Set if an earlier run finished this file; then nothing was done. */
  finishedBefore: Date | null;
}

/**
 * Imports users from a file with one JSON object per line, each with a password hash from another system. Invalid lines are
 * reported and do not affect others. Each batch is one transaction with its users, events and the progress, so after a
 * crash at any time the next run continues where it stopped.
 * @param again imports a file again that was finished before
 * @throws if the file cannot be read, or another run is importing it
 */
export async function importUsers(
  ctx: Context,
  path: string,
  watcher: ImportWatcher,
  again = false,
): Promise<ImportResult> {
  const { size } = await stat(path);
  const fileHash = await hashFile(path);
  const { finishedAt, ...stored } = await beginImport(ctx.db, fileHash, ctx.now());
  let done: ImportProgress = stored;

  const advance = async (db: Context['db'], to: ImportProgress, finished: Date | null = null) => {
    if (await advanceImport(db, fileHash, done, to, finished)) return;
    throw new Error('Another run is importing this file; this one stops');
  };
  if (finishedAt && !again) return { ...done, finishedBefore: finishedAt };
  if (finishedAt) {
    const nothing = { position: 0, lines: 0, imported: 0, skipped: 0, bad: 0 };
    await advance(ctx.db, nothing);
    done = nothing;
  }
  if (done.lines > 0) watcher.resumed(done.lines);

  const parse = lineParser({
    requireEmail: ctx.config.users.requireEmail,
    roles: await listRoleNames(ctx.db),
    now: ctx.now(),
  });
  for await (const lines of inBatches(readLines(path, done))) {
    const { users, problems } = parseLines(lines, parse);
    const last = lines[lines.length - 1];
    done = await ctx.db.transaction().execute(async (tx) => {
      const outcome = await importBatch(tx, ctx, users);
      const bad = [...problems, ...outcome.taken];
      const to = {
        position: last?.end ?? done.position,
        lines: last?.number ?? done.lines,
        imported: done.imported + outcome.imported,
        skipped: done.skipped + outcome.existing.length,
        bad: done.bad + bad.length,
      };
      await advance(tx, to);
      // Before the commit: after a crash in between, the next run reports them again instead of never.
      for (const { line, message } of [...bad, ...outcome.existing].sort((a, b) => a.line - b.line)) {
        watcher.problem(line, message);
      }
      return to;
    });
    watcher.progress(done, size);
  }
  await advance(ctx.db, done, ctx.now());
  return { ...done, finishedBefore: null };
}

function parseLines(
  lines: Line[],
  parse: ReturnType<typeof lineParser>,
): { users: NumberedUser[]; problems: Problem[] } {
  const users: NumberedUser[] = [];
  const problems: Problem[] = [];
  for (const { number: line, bytes } of lines) {
    const parsed = bytes ? parse(bytes) : { problem: `is longer than ${MAX_LINE_BYTES} bytes` };
    if (parsed === 'blank') continue;
    if ('user' in parsed) users.push({ line, user: parsed.user });
    else problems.push({ line, message: parsed.problem });
  }
  return { users, problems };
}

async function* inBatches(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH_LINES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function hashFile(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest();
}
