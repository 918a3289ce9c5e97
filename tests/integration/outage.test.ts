// The broker is gone for a while, and users register all the same.
import { brokerUrl } from '../setup/broker';
import { registration } from '../setup/people';
import { startProxy, type TcpProxy } from '../setup/proxy';
import { eventually, type Service, startService } from '../setup/service';

const USERS = 50;

let proxy: TcpProxy;
let service: Service;
beforeAll(async () => {
  proxy = await startProxy(brokerUrl());
  service = await startService({ RABBITMQ_URL: proxy.url });
});
afterAll(async () => {
  await service.stop();
  await proxy.stop();
});

async function registerAll() {
  const ids: string[] = [];
  for (let i = 0; i < USERS; i++) {
    const answer = await service.request('/register', { method: 'POST', body: registration() });
    expect(answer.status).toBe(201);
    ids.push(answer.body.user.id);
  }
  return ids;
}

async function handledEvents(ids: string[]) {
  const { count } = await service.db
    .selectFrom('audit_log')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('subject', 'in', ids)
    .executeTakeFirstOrThrow();
  return Number(count);
}

test.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
  ['is stopped', () => proxy.stop(), () => proxy.start()],
  ['takes every byte and answers none', () => proxy.blackHole(), () => proxy.heal()],
])(
  'while the broker %s, nobody is turned away, and every event is handled once after it',
  async (_name, breakIt, heal) => {
    // So that there are connections to lose.
    await registerAll();
    await breakIt();
    const ids = await registerAll();
    const health = await service.request('/health');
    expect([health.status, health.body.status, health.body.broker]).toEqual([200, 'degraded', 'down']);
    expect(health.body.outbox.pending).toBeGreaterThanOrEqual(USERS);
    await heal();
    expect(
      await eventually(
        () => handledEvents(ids),
        (count) => count >= USERS,
      ),
    ).toBe(USERS);
    const log = await service.request('/events?status=pending', { token: service.adminToken });
    expect(log.body.events).toEqual([]);
  },
  90_000,
);
