// `npm run bench:cold`: what a cold start loads. Each built function in a fresh Node.js process, several times, beside
// a process that loads nothing; the time is that of `require`, without Node's own start.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildFunctions } from '../scripts/bundle';
import { functionFiles } from '../scripts/function-files';
import { format, percentile } from './statistics';

const RUNS = 9;

const LOAD = `
  const startedAt = process.hrtime.bigint();
  require(process.argv[1]);
  process.stdout.write(String(Number(process.hrtime.bigint() - startedAt) / 1e6));
  process.exit();
`;

function loadTimes(file: string): number[] {
  const run = () => Number(execFileSync(process.execPath, ['-e', LOAD, file], { encoding: 'utf8' }));
  run();
  return Array.from({ length: RUNS }, run).sort((a, b) => a - b);
}

async function main(): Promise<void> {
  // Inside the project, so that the SDK, which Lambda provides, is found from here too.
  const outdir = mkdtempSync(join(process.cwd(), 'dist-bench-'));
  try {
    await buildFunctions(outdir);
    console.log(`Node.js ${process.version}; ${RUNS} processes each\n`);
    row('', ['KB', 'KB gzip', 'load p50 ms', 'min', 'max']);
    const empty = loadTimes('node:path');
    row('(nothing)', ['', '', ...figures(empty)]);
    for (const name of functionFiles().keys()) {
      const file = join(outdir, name, 'index.cjs');
      const kilobytes = (bytes: number) => (bytes / 1024).toFixed(0);
      const sizes = [kilobytes(statSync(file).size), kilobytes(gzipSync(readFileSync(file)).length)];
      row(name, [...sizes, ...figures(loadTimes(file))]);
    }
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function figures(times: number[]): string[] {
  return [percentile(times, 0.5), times[0] ?? 0, times.at(-1) ?? 0].map(format);
}

function row(name: string, cells: string[]): void {
  console.log(name.padEnd(24) + cells.map((cell) => cell.padStart(13)).join(''));
}

void main();
