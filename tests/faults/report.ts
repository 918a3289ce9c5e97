import type { Size } from './rows';
import type { RowResult } from './run';

const COLUMNS: [title: string, value: (result: RowResult) => number | string][] = [
  ['users', (result) => result.users],
  ['events', (result) => result.events],
  ['handled', (result) => result.handled],
  ['dead', (result) => result.dead],
  ['lost', (result) => result.lost],
  ['ghosts', (result) => result.ghosts],
  ['repeated', (result) => result.repeated],
  ['inversions', (result) => result.inversions],
  ['wire dup.', (result) => result.wireDuplicates],
  ['worst ms', (result) => Math.round(result.worstMs)],
  ['lag p50', (result) => Math.round(result.lagP50)],
  ['lag p99', (result) => Math.round(result.lagP99)],
  ['s', (result) => Math.round(result.seconds)],
];

/** As a table in Markdown, row by row as they end. */
export function printHeader({ users, times, blackHoleMs, freezeMs, queueType }: Size): void {
  console.log(
    `${users} registrations, and a change of every fourth user, per row; ${times} kills or cuts; black hole ${blackHoleMs / 1000} s; frozen ${freezeMs / 1000} s; ${queueType} queues. Lag: from an event's row to its effect, in ms.\n`,
  );
  console.log(`| ${'fault'.padEnd(32)} | ${COLUMNS.map(([title]) => title).join(' | ')} | missed |`);
  console.log(`| --- | ${COLUMNS.map(() => '--:').join(' | ')} | --- |`);
}

export function printRow(name: string, result: RowResult): void {
  const cells = COLUMNS.map(([title, value]) => String(value(result)).padStart(title.length));
  console.log(
    `| ${name.padEnd(32)} | ${cells.join(' | ')} | ${result.misses.map(({ what }) => what).join('; ')} |`,
  );
}
