// Pollers that change hands over a backlog: the next one goes on exactly where the last one stopped.
import { uuidv7 } from 'uuidv7';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { bodyOf, done, messagesOf, Polling, userEvent } from '../../setup/polling';

const USERS = 20;
const EVENTS = 80;
const HANDOVERS = 12;

let polling: Polling;
afterEach(() => polling.close());

/** Of each user so many events, in turn. @returns their ids */
function sendBacklog(): Promise<string[]> {
  const subjects = Array.from({ length: USERS }, () => uuidv7());
  return polling.sendEvents(
    Array.from({ length: EVENTS }, (_, i) => String(i + 1).padStart(10, '0')).flatMap((sequence) =>
      subjects.map((subject) => userEvent(uuidv7(), subject, sequence)),
    ),
  );
}

// What runs with POLL_BATCH_SIZE as it was, and as it is after a deployment.
const SIZES: [string, number[]][] = [
  ['the same batches', [10]],
  ['larger and smaller batches', [40, 3]],
];

describe.each(['classic', 'quorum'])('%s queues', (queueType) => {
  test.each(SIZES)('stay in order between pollers with %s', async (_name, sizes) => {
    polling = await Polling.open({ QUEUE_TYPE: queueType });
    const ids = await sendBacklog();
    const handled: string[] = [];
    const inverted: string[] = [];
    const last = new Map<string, string>();
    const record = (event: RmqEvent) => {
      for (const message of messagesOf(event)) {
        const { id, subject, sequence } = bodyOf(message);
        if (sequence <= (last.get(subject) ?? '')) inverted.push(`${subject} ${sequence}`);
        last.set(subject, sequence);
        handled.push(id);
      }
      return done(event);
    };
    /** Stays with its third batch until the next one stands by. */
    const start = (i: number) => {
      let release = () => {};
      const relieved = new Promise<void>((resolve) => (release = resolve));
      const run = polling.poll(
        async (event) => {
          if (run.calls.length === 3) await relieved;
          return record(event);
        },
        { batchSize: sizes[i % sizes.length] ?? 10 },
      );
      return { ...run, release };
    };
    let active = start(0);
    for (let i = 1; i <= HANDOVERS; i++) {
      await active.until(() => active.calls.length === 3);
      const standby = start(i);
      await standby.consuming;
      const stopped = active.stop();
      active.release();
      await stopped;
      active = standby;
    }
    active.release();
    await active.until(() => handled.length >= ids.length);
    expect(inverted).toEqual([]);
    expect(handled).toEqual(ids);
  });
});
