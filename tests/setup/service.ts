import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startOffline } from '../../local/offline';
import { freePort } from '../../local/ports';
import { startSchedule } from '../../local/schedule';
import { createAdmin } from '../../shared/accounts/create-admin';
import { type Config, readConfig } from '../../shared/config';
import { VARIABLES } from '../../shared/config/environment';
import { type Context, createContext } from '../../shared/context/context';
import type { Db } from '../../shared/db/connection';
import { createLog } from '../../shared/log';
import { brokerUrl, deleteTopology, uniqueNames } from './broker';
import { createTestDatabase } from './database';
import { readBody, type TestReply } from './http-event';
import { expectRouteDocumented } from './openapi';
import { PASSWORD } from './people';

const LOOK_AGAIN_MS = 10;

export interface ServiceRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  token?: string;
}

/** The whole service behind serverless-offline: HTTP, relay, poller and consumers, each in containers of its own. */
export interface Service {
  url: string;
  db: Db;
  /** With the configuration of the functions. */
  ctx: Context;
  events: Config['events'];
  adminToken: string;
  request(path: string, request?: ServiceRequest): Promise<TestReply>;
  stop(): Promise<void>;
}

/**
 * @param environment what differs from a test's usual settings
 * @param broken what differs for the functions alone, which then do not work as they should
 */
export async function startService(
  environment: Record<string, string> = {},
  broken: Record<string, string> = {},
): Promise<Service> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-service-'));
  const httpPort = await freePort();
  const lambdaPort = await freePort();
  const lambdaEndpoint = `http://127.0.0.1:${lambdaPort}`;
  const settings = {
    // Set, if only to nothing: serverless fills in from a .env what is not.
    ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
    DATABASE_URL: database.url,
    RABBITMQ_URL: brokerUrl(),
    JWT_SECRET: 'a secret of the tests, long enough',
    ENCRYPTION_KEYS: Buffer.alloc(32, 'k').toString('base64'),
    PASSWORD_HASH: 'bcrypt',
    BCRYPT_COST: '4',
    QUEUE_TYPE: 'classic',
    RELAY_IDLE_MS: '100',
    RATE_LIMITS: 'off',
    EMAIL_LOGIN: 'on',
    SMTP_URL: 'off',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_IDLE_MS: '100',
    LAMBDA_ENDPOINT: lambdaEndpoint,
    FUNCTION_PREFIX: 'rollcall-dev-',
    ...uniqueNames(),
    ...environment,
  };
  const ctx = createContext(readConfig(settings), createLog('silent'));
  await createAdmin(ctx, 'admin', PASSWORD);

  const { PATH = '', HOME = '' } = process.env;
  let failure: string | undefined;
  const server = await startOffline(
    { httpPort, lambdaPort, dataDir, noTimeout: true },
    { PATH, HOME, ...settings, ...broken },
    {
      onLogLine: () => {},
      onExit: (reason) => {
        failure = reason;
      },
    },
  );
  const schedule = startSchedule('rollcall-dev-', lambdaEndpoint, () => {});
  await server.answers();

  const url = `http://127.0.0.1:${httpPort}`;
  const request = async (
    path: string,
    { method = 'GET', headers = {}, body, token }: ServiceRequest = {},
  ) => {
    if (failure) throw new Error(failure);
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        // As its own page sends it.
        ...(/^\/(console\/|login\/code$)/.test(path) && { origin: url }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const reply = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: readBody(await response.text(), response.headers.get('content-type') ?? undefined),
    };
    expectRouteDocumented(method, path, reply);
    return reply;
  };
  const login = await request('/login', { method: 'POST', body: { username: 'admin', password: PASSWORD } });
  return {
    url,
    db: ctx.db,
    ctx,
    events: ctx.config.events,
    adminToken: login.body?.accessToken ?? '',
    request,
    stop: async () => {
      schedule.stop();
      await server.stop();
      await ctx.db.destroy();
      await deleteTopology(ctx.config.events);
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Asks again until the answer is as it should be; the test's own time limit is the limit. */
export async function eventually<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    // Asking without a pause would take the machine's time from what is waited for.
    await wait(LOOK_AGAIN_MS);
  }
}
