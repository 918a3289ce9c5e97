import { freePort } from '../../local/ports';
import { scheduledTasks } from '../../scripts/serve/tasks';
import { createBroker } from '../../shared/broker/connection';
import { testContext } from '../setup/context';
import { countUnsent, fillOutbox } from '../setup/outbox';

test('the relay has a connection of its own: a publisher that has closed its own one interrupts nothing', async () => {
  const ctx = await testContext();
  await fillOutbox(ctx, 3);
  const publisherBroker = createBroker(`amqp://127.0.0.1:${await freePort()}`, 'rollcall-test', ctx.log);
  const { tasks, close } = scheduledTasks({ ...ctx, broker: publisherBroker }, new Set(['relay'] as const));
  for (const task of tasks) await task.run(0, new AbortController().signal);
  expect(await countUnsent(ctx)).toBe(0);
  await close();
  await ctx.close();
});
