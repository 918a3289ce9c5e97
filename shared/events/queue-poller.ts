import { setTimeout as wait } from 'node:timers/promises';
import type { ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import { BrokerTrouble, explainTrouble } from '../broker/trouble';
import type { TroubleLog } from '../broker/trouble-log';
import { within } from '../within';
import { collectBatch, MessageBuffer } from './batch';
import { handleDeadLetters } from './handle-dead-letters';
import { handleEvents } from './handle-events';
import type { PollContext } from './poller';
import { noteProblem } from './task-run-store';
import { DEAD_LETTERS, type PolledQueue, queueOf } from './topology';

/** While a function or the database cannot be reached. The batch waits here, unacknowledged, and no attempt is counted. */
const UNAVAILABLE_PAUSE_MS = 1_000;

/** A broker that answers takes milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * | result        |                                                                                               |
 * | ------------- | --------------------------------------------------------------------------------------------- |
 * | `settled`     | the next batch may be handled, and this one be acknowledged when `sendOn` has resolved        |
 * | `unavailable` | nothing has become of the batch, and it may be tried again at any time                        |
 */
export type BatchResult =
  | { kind: 'settled'; sendOn: () => Promise<void> }
  | { kind: 'unavailable'; reason: string };

/**
 * Consumes one queue, batch after batch, until told to stop; then gives back what it has not touched.
 * @throws where the connection or the channel breaks: the broker then delivers again what was not acknowledged
 */
export async function pollQueue(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  stop: AbortSignal,
  trouble: TroubleLog,
  onConsuming: () => void,
): Promise<void> {
  const queue = queueOf(ctx.config.events, polled);
  const channel = await connection.model.createChannel();
  const buffer = new MessageBuffer();
  channel.on('error', (error) => buffer.fail(explainTrouble(error)));
  channel.on('close', () => buffer.fail(new Error(`The channel on ${queue} was closed`)));
  stop.addEventListener('abort', () => buffer.wake(), { once: true });
  // Several batches: while the broker confirms what one sends on, which takes it some disk writes, the next ones are
  // handled. It does not follow the batch size: a quorum queue puts what a consumer gives back behind what came back
  // before, so a poller that takes over with room for less would have the rest of an earlier return come first.
  await channel.prefetch(ctx.config.poll.prefetch);
  const consuming = channel.consume(queue, (message) => {
    if (message) buffer.push(message);
    else
      buffer.fail(
        new Error(`The broker cancelled the consumer of ${queue}: the queue was deleted or has moved`),
      );
  });
  await consuming.catch((error: unknown) => {
    throw explainTrouble(error);
  });
  onConsuming();

  let acknowledged = Promise.resolve();
  try {
    while (!stop.aborted) {
      const batch = await collectBatch(buffer, ctx.config.poll, stop);
      const last = batch.at(-1);
      const sendOn = last && (await handleBatch(ctx, connection, polled, batch, buffer, stop, trouble));
      if (!sendOn) continue;
      // One acknowledgement is for all before it as well, so it waits for theirs.
      acknowledged = Promise.all([acknowledged, sendOn()]).then(() => {
        channel.ack(last, true);
        trouble.works();
      });
      acknowledged.catch((error: Error) => buffer.fail(error));
    }
  } finally {
    // Whatever ends this, nothing of it is under way afterwards.
    await acknowledged.catch(() => {});
  }
  await acknowledged;
  // Never basic.cancel before: that alone makes the next consumer the active one, and it would get what is behind the
  // messages in our hands before the close returns those. The close does both at once. See docs/decisions.md.
  if ((await within(CLOSE_TIMEOUT_MS, channel.close(), 'late')) === 'late')
    throw new BrokerTrouble('The broker does not answer', `no close-ok for the channel on ${queue}`);
}

/**
 * Tries until the batch is handled: to give it back to the queue would only have it delivered again at once.
 * @returns what sends on the rest of it; nothing where it was told to stop meanwhile
 * @throws where the connection is gone, and so is the batch
 */
async function handleBatch(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  batch: ConsumeMessage[],
  buffer: MessageBuffer,
  stop: AbortSignal,
  trouble: TroubleLog,
): Promise<(() => Promise<void>) | undefined> {
  const handle = () =>
    polled === DEAD_LETTERS ? handleDeadLetters(ctx, batch) : handleEvents(ctx, connection, polled, batch);
  for (;;) {
    try {
      const result = await handle();
      if (result.kind === 'settled') return result.sendOn;
      const { reason } = result;
      const message = 'A function cannot take its messages right now';
      if (trouble.tell('warn', message, { function: polled, reason }))
        void noteProblem(ctx, 'poll-queues', `${message}: ${polled}`);
    } catch (error) {
      // Only the database is asked before a batch is settled.
      trouble.failed(error);
    }
    await wait(UNAVAILABLE_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
    // Unacknowledged, so the broker delivers the batch again to the next run.
    if (stop.aborted) return undefined;
    buffer.throwIfFailed();
  }
}
