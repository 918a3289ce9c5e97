// The process that sends the requests of `npm run bench:http`, so that its work is not in the figures of what it measures.
import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from './connection';

export const PASSWORD = 'a password of the benchmark';

export interface Account {
  username: string;
  token: string;
}

export interface Job {
  kind: 'register' | 'login' | 'me' | 'hash';
  port: number;
  /** Each sends its next request when it has the answer to the last. */
  clients: number;
  ms: number;
  /** At most so many requests per second, all clients together. */
  perSecond?: number;
  /** For `login` and `me`: client n uses account n. */
  accounts: Account[];
}

export interface JobResult {
  /** Ascending. */
  times: number[];
  perSecond: number;
  registered: { id: string; answeredAt: number }[];
}

const EXPECTED = { register: 201, login: 200, me: 200, hash: 200 };
let count = 0;

async function run(job: Job): Promise<JobResult> {
  const { kind, port, clients, ms, perSecond, accounts } = job;
  const result: JobResult = { times: [], perSecond: 0, registered: [] };
  const startedAt = performance.now();
  const intervalMs = perSecond === undefined ? 0 : 1000 / perSecond;
  let due = startedAt;

  async function client(index: number): Promise<void> {
    const connection = new Connection(port);
    const account = accounts[index % accounts.length] ?? { username: '', token: '' };
    while (performance.now() - startedAt < ms) {
      if (intervalMs > 0) {
        const pauseMs = due - performance.now();
        due += intervalMs;
        if (pauseMs > 0) await wait(pauseMs);
      }
      const sentAt = performance.now();
      const reply = await send(connection, kind, account);
      result.times.push(performance.now() - sentAt);
      if (reply.status !== EXPECTED[kind]) throw new Error(`${kind}: ${reply.status} ${reply.body}`);
      if (kind === 'register')
        result.registered.push({ id: JSON.parse(reply.body).user.id, answeredAt: Date.now() });
    }
    connection.close();
  }

  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  result.perSecond = (result.times.length * 1000) / (performance.now() - startedAt);
  result.times.sort((a, b) => a - b);
  return result;
}

function send(connection: Connection, kind: Job['kind'], { username, token }: Account) {
  if (kind === 'me') return connection.request('GET', '/users/me', token);
  if (kind === 'hash') return connection.request('GET', '/hash', null);
  if (kind === 'login') return connection.request('POST', '/login', null, { username, password: PASSWORD });
  const name = `bench_${process.pid}_${count++}`;
  const body = { username: name, email: `${name}@example.com`, password: PASSWORD };
  return connection.request('POST', '/register', null, body);
}

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
