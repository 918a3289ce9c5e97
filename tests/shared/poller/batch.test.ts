// When a batch closes. The clock is the test's.
import type { ConsumeMessage } from 'amqplib';
import { collectBatch, earliestAfter, MessageBuffer } from '../../../shared/poller/batch';

const POLL = { batchSize: 10, batchWindowMs: 200, batchQuietMs: 5 };

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** Collects a batch from an empty buffer while messages arrive. @returns its size, and the time that it took in ms */
async function collect(arrivals: number[], earliest = 0, poll = POLL, stop = new AbortController().signal) {
  const buffer = new MessageBuffer();
  const startedAt = performance.now();
  for (const atMs of arrivals) setTimeout(() => buffer.push({} as ConsumeMessage), atMs);
  let took: number | undefined;
  const batch = collectBatch(buffer, poll, stop, earliest && startedAt + earliest);
  void batch.then(() => (took = performance.now() - startedAt));
  while (took === undefined) await jest.advanceTimersByTimeAsync(1);
  return { size: (await batch).length, took: Math.round(took) };
}

const every = (ms: number, count: number) => Array.from({ length: count }, (_, index) => (index + 1) * ms);

test.each<[string, number[], number, { size: number; took: number }]>([
  ['a single message waits for the quiet time', [1], 0, { size: 1, took: 6 }],
  ['a full batch waits for nothing', every(1, 10), 0, { size: 10, took: 10 }],
  ['messages that keep coming fill the batch', every(4, 200), 0, { size: 10, took: 40 }],
  [
    'a message of an idle queue does not wait for a batch that ended long ago',
    [50],
    20,
    { size: 1, took: 55 },
  ],
  ['messages that come soon after a batch share the next one', [1, 30, 60, 110], 100, { size: 3, took: 100 }],
  ['a full batch does not wait for others either', every(1, 12), 100, { size: 10, took: 10 }],
])('%s', async (_name, arrivals, earliest, expected) => {
  expect(await collect(arrivals, earliest)).toEqual(expected);
});

test('a steady trickle waits at most for the window', async () => {
  expect(await collect(every(4, 20), 0, { ...POLL, batchWindowMs: 30 })).toEqual({ size: 8, took: 34 });
});

test('a poller that stops takes no more', async () => {
  const stop = new AbortController();
  stop.abort();
  expect(await collect([], 100, POLL, stop.signal)).toEqual({ size: 0, took: 0 });
});

test('the next batch waits three times as long as the last one took, at most for the window', () => {
  expect(earliestAfter(1_000, 1_010, POLL)).toBe(1_040);
  expect(earliestAfter(1_000, 2_000, POLL)).toBe(2_200);
});
