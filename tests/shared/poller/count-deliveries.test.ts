import type { InvokeOutcome } from '../../../shared/lambda/invoke';
import { BEHIND_A_FAILURE } from '../../../shared/lambda/rmq-event';
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
/** One event failed, and so many others of its user were not tried. */
const behindOne = (count: number): InvokeOutcome => ({
  kind: 'answered',
  payload: {
    batchItemFailures: [
      { itemIdentifier: 'x', reason: 'no luck' },
      ...Array.from({ length: count }, () => ({ itemIdentifier: 'y', reason: BEHIND_A_FAILURE })),
    ],
  },
});

test.each<[string, string, number, InvokeOutcome, [handled: number, failed: number, dead: number]]>([
  ['all done', 'audit', 5, answered(0), [5, 0, 0]],
  ['some failed', 'audit', 5, answered(2), [3, 2, 0]],
  ['an empty answer: all done', 'audit', 5, { kind: 'answered', payload: null }, [5, 0, 0]],
  ['what was not tried comes again', 'audit', 3, untried(1), [2, 0, 0]],
  ['what waits for an earlier event of its user was not tried', 'audit', 12, behindOne(11), [0, 1, 0]],
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

// On Lambda the outcome follows the abort and says `unavailable`; in `serve` there may be none.
test.each<[string, number, number]>([
  ['one event by itself', 1, 1],
  ['a batch, each of which is counted by itself', 5, 0],
])('a call that runs out of time has failed: %s', async (_name, messages, failed) => {
  const aborted: InvokeOutcome = { kind: 'unavailable', reason: 'Request aborted' };
  const { invoke, counts } = countDeliveries(
    (_function, _payload, abandoned) =>
      new Promise((resolve) => abandoned?.addEventListener('abort', () => resolve(aborted))),
  );
  const abandoned = new AbortController();
  const call = invoke('rollcall-prod-audit', batch(messages), abandoned.signal);
  abandoned.abort();
  expect(counts).toEqual({ handled: 0, failed, deadLettered: 0 });
  await call;
  expect(counts).toEqual({ handled: 0, failed, deadLettered: 0 });
});
