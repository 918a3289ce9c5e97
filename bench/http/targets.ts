import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { ROOT } from '../../scripts/function-files';
import { HASH_MEMORY, SMALL_HEAP } from '../../scripts/serve/memory';
import type { PublishingContext } from '../../shared/outbox/publisher';
import { type BenchServers, benchContext, benchService, HIGH_LIMITS } from '../environment';
import type { MailSink } from './mail-sink';
import { startProgram } from './program';

/** A running service that is measured. */
export interface Target {
  port: number;
  /** For this process, on the service's database. */
  ctx: PublishingContext;
  /** The service's processes without their descendants. */
  pids(): number[];
  /** Start to first answer; the first start also creates the database. */
  startMs: number;
  firstStartMs?: number;
  stop(): Promise<void>;
}

export async function startServe(
  servers: BenchServers,
  mailSink: MailSink,
  processes: number,
): Promise<Target> {
  const directory = await benchDirectory();
  const service = await benchService(servers);
  const port = await freePort();
  const environment = {
    ...service.environment,
    ...HIGH_LIMITS,
    ...HASH_MEMORY,
    SMTP_URL: mailSink.url,
    HOST: '127.0.0.1',
    PORT: String(port),
    WEB_CONCURRENCY: String(processes),
  };
  // As package.json's script has it.
  const command = [process.execPath, SMALL_HEAP, join(ROOT, 'dist/serve/index.cjs')] as const;
  const program = await startProgram([...command], environment, port, directory);
  return {
    port,
    ctx: service.ctx,
    pids: () => [program.pid],
    startMs: program.startMs,
    stop: async () => {
      await program.stop();
      await service.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As on a developer's machine, with servers of its own unless the environment names others. */
export async function startLocal(servers: BenchServers): Promise<Target> {
  const directory = await benchDirectory();
  const [port, pgPort, amqpPort] = [await freePort(), await freePort(), await freePort()];
  const service =
    process.env['DATABASE_URL'] || process.env['RABBITMQ_URL'] ? await benchService(servers) : null;
  const environment = {
    ...service?.environment,
    ...HIGH_LIMITS,
    DATABASE_URL: process.env['DATABASE_URL'] ? (service?.environment['DATABASE_URL'] ?? '') : '',
    RABBITMQ_URL: process.env['RABBITMQ_URL'] ?? '',
    HTTP_PORT: String(port),
    PG_PORT: String(pgPort),
    AMQP_PORT: String(amqpPort),
    LAMBDA_PORT: String(await freePort()),
    SMTP_PORT: String(await freePort()),
    MAIL_PORT: String(await freePort()),
    DATA_DIR: join(directory, 'data'),
  };
  const run = () => startProgram(['npm', 'start'], environment, port, directory, ROOT);
  const first = await run();
  await first.stop();
  const program = await run();
  const ctx = benchContext({
    ...environment,
    DATABASE_URL: environment.DATABASE_URL || `postgres://rollcall:rollcall@127.0.0.1:${pgPort}/postgres`,
    RABBITMQ_URL: environment.RABBITMQ_URL || `amqp://guest:guest@127.0.0.1:${amqpPort}`,
    JWT_SECRET: 'not that of the service, which signs its own tokens',
  });
  return {
    port,
    ctx,
    pids: () => [program.pid],
    startMs: program.startMs,
    firstStartMs: first.startMs,
    stop: async () => {
      await ctx.db.destroy();
      await program.stop();
      await service?.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** To be removed by the caller. */
export async function benchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-bench-http-'));
  // For root, PostgreSQL runs as another user.
  await chmod(directory, 0o755);
  return directory;
}
