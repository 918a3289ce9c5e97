import { randomBytes } from 'node:crypto';
import { CONSUMER_NAMES } from '../../shared/broker/topology';
import { toEvent } from '../../shared/outbox/event-store';
import { httpEvent } from '../../tests/setup/http-event';
import { rmqEvent } from '../../tests/setup/rmq';
import { percentile } from '../statistics';
import { createAccounts } from './accounts';
import { PASSWORD } from './client';
import type { LambdaTarget } from './lambda';
import { usageOf } from './processes';

export interface FunctionFigures {
  name: string;
  /** From the start of the process to its first result. */
  coldMs: number;
  warmMs: number;
  rssMb: number;
}

const COLD_STARTS = 5;
const WARM_CALLS = 50;

/** The functions of the main path and the consumers, each in containers of its own, with nothing else running. */
export async function measureFunctions(target: LambdaTarget): Promise<FunctionFigures[]> {
  const payloads = await makePayloads(target);
  const all: FunctionFigures[] = [];
  for (const [name, payload] of Object.entries(payloads)) {
    const cold: number[] = [];
    const warm: number[] = [];
    let rssMb = Number.NaN;
    for (let start = 1; start <= COLD_STARTS; start++) {
      const startedAt = performance.now();
      const container = await target.startContainer(name);
      check(name, await container.invoke(payload()));
      cold.push(performance.now() - startedAt);
      for (let call = 0; start === COLD_STARTS && call < WARM_CALLS; call++) {
        const event = payload();
        const calledAt = performance.now();
        check(name, await container.invoke(event));
        warm.push(performance.now() - calledAt);
      }
      rssMb = usageOf([container.pid])?.rssMb ?? Number.NaN;
      await container.stop();
    }
    const p50 = (times: number[]) =>
      percentile(
        times.sort((a, b) => a - b),
        0.5,
      );
    all.push({ name, coldMs: p50(cold), warmMs: p50(warm), rssMb });
  }
  return all;
}

/** What each function is called with, different each time where it has to be. */
async function makePayloads({ ctx, startContainer }: LambdaTarget): Promise<Record<string, () => unknown>> {
  const [username = ''] = await createAccounts(ctx, 1);
  const login = () => httpEvent({ method: 'POST', path: '/login', body: { username, password: PASSWORD } });
  const container = await startContainer('login');
  const { accessToken, refreshToken } = JSON.parse(check('login', await container.invoke(login())));
  await container.stop();
  const register = () => {
    const name = `cold_${randomBytes(6).toString('hex')}`;
    const body = { username: name, email: `${name}@example.com`, password: PASSWORD };
    return httpEvent({ method: 'POST', path: '/register', body });
  };
  const consumers: [string, () => unknown][] = [];
  for (const consumer of CONSUMER_NAMES) {
    await createAccounts(ctx, COLD_STARTS + WARM_CALLS);
    const rows = await ctx.db
      .selectFrom('events')
      .select(['id', 'type', 'subject', 'sequence', 'time', 'data', 'traceparent'])
      .where('type', '=', 'user.created')
      .orderBy('position', 'desc')
      .limit(COLD_STARTS + WARM_CALLS)
      .execute();
    const events = rows.map((row) => toEvent(row as Parameters<typeof toEvent>[0]));
    consumers.push([consumer, () => rmqEvent(events.splice(0, 1))]);
  }
  return {
    'get-me': () => httpEvent({ path: '/users/me', token: accessToken }),
    login,
    register,
    // Within ten seconds, the same refresh token gets the same answer.
    refresh: () => httpEvent({ method: 'POST', path: '/refresh', body: { refreshToken } }),
    health: () => httpEvent({ path: '/health' }),
    ...Object.fromEntries(consumers),
  };
}

/** @returns the body of an HTTP function's response */
function check(name: string, result: unknown): string {
  const {
    statusCode = 200,
    body = '',
    batchItemFailures = [],
  } = result as {
    statusCode?: number;
    body?: string;
    batchItemFailures?: unknown[];
  };
  if (statusCode >= 300 || batchItemFailures.length > 0)
    throw new Error(`${name}: ${JSON.stringify(result)}`);
  return body;
}
