import type { InvokeOutcome } from '../../../shared/lambda/invoke';
import { countDeliveries } from '../../../shared/poller/count-deliveries';

const batch = (count: number) => ({
  rmqMessagesByQueue: { 'rollcall.audit::/': Array.from({ length: count }, () => ({})) },
});
const answered = (failures: number): InvokeOutcome => ({
  kind: 'answered',
  payload: { batchItemFailures: Array.from({ length: failures }, () => ({ itemIdentifier: 'x' })) },
});
const untried = (count: number): InvokeOutcome => ({
  kind: 'answered',
  payload: {
    batchItemFailures: Array.from({ length: count }, () => ({ itemIdentifier: 'x', untried: true })),
  },
});

test.each<[string, string, number, InvokeOutcome, [handled: number, failed: number, dead: number]]>([
  ['all done', 'audit', 5, answered(0), [5, 0, 0]],
  ['some failed', 'audit', 5, answered(2), [3, 2, 0]],
  ['an empty answer: all done', 'audit', 5, { kind: 'answered', payload: null }, [5, 0, 0]],
  ['what was not tried comes again', 'audit', 3, untried(1), [2, 0, 0]],
  ['the call failed: each is counted by itself', 'audit', 5, { kind: 'failed', reason: '' }, [0, 0, 0]],
  ['one by itself failed', 'audit', 1, { kind: 'failed', reason: '' }, [0, 1, 0]],
  ['it did not run', 'audit', 5, { kind: 'unavailable', reason: '' }, [0, 0, 0]],
  [
    'it had no database',
    'audit',
    5,
    { kind: 'answered', payload: { batchItemFailures: [], unavailable: '' } },
    [0, 0, 0],
  ],
  ['dead letters', 'dead-letters', 5, answered(1), [0, 1, 4]],
])('%s', async (_name, consumer, messages, outcome, [handled, failed, deadLettered]) => {
  const { invoke, counts } = countDeliveries(async () => outcome);
  expect(await invoke(`rollcall-prod-${consumer}`, batch(messages))).toBe(outcome);
  expect(counts).toEqual({ handled, failed, deadLettered });
});
