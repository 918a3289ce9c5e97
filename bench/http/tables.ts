import type { Figures } from './figures';
import type { FunctionFigures } from './functions';
import type { Limits } from './limits';

/** By the name of the target. */
export type Results = Map<string, Figures>;

/** How many processes share the work of a target; with more, the machine itself is the limit. */
const PROCESSES: Record<string, 1 | 2> = { start: 1, 'serve-1': 1, 'serve-2': 2, lambda: 2 };

/** Over HTTP, each figure with its ratio to the limit. */
export function httpTable(limits: Limits, results: Results): string {
  const header = [
    ['', 'register c1 p50 ms', 'register c8 /s', 'login c1 p50 ms', 'login c8 /s', 'me c1 /s', 'me c16 /s'],
  ];
  const limitRows = [...limits.servers].map(([processes, { hashC8, queryC1, queryC16 }]) => [
    `limits, ${processes} process${processes > 1 ? 'es' : ''}`,
    ...[limits.hashP50, hashC8, limits.hashP50, hashC8, queryC1, queryC16].map(round),
  ]);
  const rows = [...results].map(([name, figures]) => {
    const own = limits.servers.get(PROCESSES[name] ?? 1);
    const { hashC8 = 0, queryC1 = 0, queryC16 = 0 } = own ?? {};
    return [
      name,
      over(figures.registerC1, limits.hashP50),
      over(figures.registerC8, hashC8),
      over(figures.loginC1, limits.hashP50),
      over(figures.loginC8, hashC8),
      over(figures.meC1, queryC1),
      over(figures.meC16, queryC16),
    ];
  });
  return `${markdown([...header, ...limitRows, ...rows])}

The limits: one password hash alone, eight at a time on a bare node:http server; a bare node:http server with one prepared
query. One confirmed publish alone: ${round(limits.publishP50)} ms at the median.`;
}

export function processTable(results: Results): string {
  const header = [
    '',
    'start s',
    'first start s',
    'idle CPU %',
    'idle RSS MB',
    'idle PSS MB',
    'RSS MB after the load',
    'processes',
  ];
  const rows = [...results].map(([name, { startMs, firstStartMs, idleCpu, idle, loaded }]) => [
    name,
    name === 'lambda' ? '–' : round(startMs / 1000),
    firstStartMs === null ? '–' : round(firstStartMs / 1000),
    optional(idleCpu === null ? null : idleCpu * 100),
    ...[idle?.rssMb, idle?.pssMb, loaded?.rssMb].map(optional),
    String(loaded?.processes ?? '–'),
  ]);
  return markdown([header, ...rows]);
}

/** An event, with the ratio to the limit. */
export function eventTable({ events }: Limits, results: Results): string {
  const header = [
    '',
    'event, 1/s: CPU ms',
    'event, batch: CPU ms',
    'registration, 1/s: CPU ms',
    'registration, c8: CPU ms',
    'answer → handled p50 ms',
    'max ms',
  ];
  const limitRow = ['limits', round(events.cpuPerEvent), round(events.cpuPerEventInTurn), '–', '–', '–', '–'];
  const rows = [...results].map(([name, figures]) => [
    name,
    figures.cpuPerEvent === null ? '–' : over(figures.cpuPerEvent, events.cpuPerEvent),
    figures.cpuPerEventInBatch === null ? '–' : over(figures.cpuPerEventInBatch, events.cpuPerEventInTurn),
    optional(figures.cpuPerRegistration),
    optional(figures.cpuPerRegistrationInBatch),
    figures.handledP50.toFixed(0),
    figures.handledMax.toFixed(0),
  ]);
  return `${markdown([header, limitRow, ...rows])}

The limits: for each event a confirmed publish, a transaction in each of five consumers and one mail, nothing else; with a pause
of a second after each, and one after the other.`;
}

export function functionTable(functions: FunctionFigures[]): string {
  const rows = functions.map(({ name, coldMs, warmMs, rssMb }) => [
    `\`${name}\``,
    ...[coldMs, warmMs, rssMb].map(round),
  ]);
  return markdown([['', 'cold start ms', 'warm p50 ms', 'RSS MB'], ...rows]);
}

function markdown([header = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${'--:|'.repeat(header.length - 1)}`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

function over(value: number, limit: number): string {
  return `${round(value)} (${(value / limit).toFixed(2)} ×)`;
}

function optional(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : round(value);
}

function round(value: number): string {
  if (Math.abs(value) < 10) return value.toFixed(2);
  return value < 1000 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
