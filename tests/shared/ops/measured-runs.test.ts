import { measuredRelay } from '../../../shared/ops/measured-runs';
import { type TestContext, testContext } from '../../setup/context';
import { fillOutbox } from '../../setup/outbox';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext({ METRICS: 'on', FUNCTION_PREFIX: 'rollcall-test-', RELAY_BATCH_SIZE: '2' });
});
afterEach(() => ctx.close());

test('a run of the relay says what it sent and what is left', async () => {
  await fillOutbox(ctx, 7);
  const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  // A budget of nothing is one batch, and the one beside it.
  await measuredRelay(ctx, 0);
  const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)));
  written.mockRestore();
  expect(lines).toEqual([
    expect.objectContaining({
      Service: 'rollcall-test',
      RelayRuns: 1,
      EventsPublished: 4,
      EventsRefused: 0,
      OutboxPending: 3,
      OutboxAgeSeconds: expect.any(Number),
    }),
  ]);
});
