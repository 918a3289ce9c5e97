// `npm run users:import -- file.jsonl [--again]`: imports users with their password hashes.
import { parseArgs } from 'node:util';
import { importUsers } from '../shared/user-import/import-users';
import { createProgress } from './progress';
import { runScript } from './run';

const USAGE = 'Usage: npm run users:import -- FILE.jsonl [--again]';
const count = (value: number) => value.toLocaleString('en');

runScript(async (ctx) => {
  const { path, again } = readArguments();
  const progress = createProgress();
  const watcher = {
    resumed: (lines: number) => progress.line(`Resuming after line ${lines}, where an earlier run ended.`),
    problem: (line: number, message: string) => progress.line(`line ${line}: ${message}`),
    progress: (done: { position: number; lines: number }, totalBytes: number) =>
      progress.update(done.position / totalBytes, `${count(done.lines)} lines`),
  };
  const result = await importUsers(ctx, path, watcher, again).finally(() => progress.end());

  if (result.finishedBefore) {
    const when = result.finishedBefore.toISOString();
    console.log(`This file was already imported; that run ended at ${when}. To import it again, add --again`);
  }
  const { imported, skipped, bad } = result;
  console.log(`${count(imported)} imported, ${count(skipped)} skipped (already there), ${count(bad)} bad.`);
  if (bad > 0) process.exitCode = 1;
});

function readArguments(): { path: string; again: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { again: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) throw new Error('Name one file.');
    return { path, again: values.again };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}
