import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { freePort } from '../../local/ports';
import { buildProgram } from '../../scripts/bundle';
import { SMALL_HEAP } from '../../scripts/serve/memory';
import { hashPassword } from '../../shared/passwords/hash';
import { type BenchServers, benchService } from '../environment';
import { publishInTurn } from '../raw';
import { measure, percentile } from '../statistics';
import { createAccounts } from './accounts';
import type { BareEvents } from './bare-events';
import { PASSWORD } from './client';
import { SPACED_TIMES } from './figures';
import type { Load } from './load';
import type { MailSink } from './mail-sink';
import { startProgram } from './program';
import { benchDirectory } from './targets';

/** What the parts allow by themselves. */
export interface Limits {
  hashP50: number;
  /** One at a time. */
  publishP50: number;
  events: BareEvents;
  /** By the number of processes. */
  servers: Map<number, { hashC8: number; queryC1: number; queryC16: number }>;
}

const HASHES = 40;
const PUBLISHES = 500;

export async function measureLimits(
  servers: BenchServers,
  mailSink: MailSink,
  load: Load,
  ms: number,
): Promise<Limits> {
  const directory = await benchDirectory();
  const file = await buildProgram('bench/http/bare-server.ts', directory);
  const { ctx, environment, close } = await benchService(servers);
  try {
    const hash = () => hashPassword(PASSWORD, ctx.config.passwords);
    await measure(5, hash);
    const hashP50 = percentile(await measure(HASHES, hash), 0.5);
    const publishes = await publishInTurn(ctx, 'user.created', PUBLISHES);
    const [username = ''] = await createAccounts(ctx, 1);
    const events = await measureEvents({ ...environment, SMTP_URL: mailSink.url }, directory, ms);
    const limits: Limits = { hashP50, publishP50: percentile(publishes, 0.5), events, servers: new Map() };
    for (const processes of [1, 2]) {
      const port = await freePort();
      const own = {
        ...environment,
        PORT: String(port),
        WEB_CONCURRENCY: String(processes),
        BENCH_USERNAME: username,
      };
      const server = await startProgram([process.execPath, file], own, port, directory);
      const run = (kind: 'hash' | 'me', clients: number) =>
        load.run({ kind, port, clients, ms, accounts: [] }).then(({ perSecond }) => perSecond);
      await run('me', 16);
      const [hashC8, queryC1, queryC16] = [await run('hash', 8), await run('me', 1), await run('me', 16)];
      limits.servers.set(processes, { hashC8, queryC1, queryC16 });
      await server.stop();
    }
    return limits;
  } finally {
    await close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureEvents(
  environment: Record<string, string>,
  directory: string,
  ms: number,
): Promise<BareEvents> {
  const file = await buildProgram('bench/http/bare-events.ts', directory);
  const count = String(Math.round((ms * SPACED_TIMES) / 1000));
  const child = fork(file, {
    execArgv: [SMALL_HEAP],
    env: { ...process.env, ...environment, BENCH_EVENTS: count },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The bare consumers ended with ${code}`);
  });
  ended.catch(() => {});
  const [result] = await Promise.race([once(child, 'message'), ended]);
  await once(child, 'exit');
  return result as BareEvents;
}
