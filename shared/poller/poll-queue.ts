import { setTimeout as wait } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { BrokerError, explainBrokerError } from '../broker/broker-error';
import type { BrokerConnection } from '../broker/connection';
import type { OutageLog } from '../broker/outage-log';
import { DEAD_LETTERS, type PolledQueue, queueOf } from '../broker/topology';
import { noteProblem } from '../tasks/task-run-store';
import { within } from '../within';
import { collectBatch, MessageBuffer } from './batch';
import { handleDeadLetters } from './handle-dead-letters';
import { handleEvents } from './handle-events';
import type { BatchResult, PollContext } from './types';

/** While a function or the database cannot be reached. The batch waits here, unacknowledged, and no attempt is counted. */
const UNAVAILABLE_PAUSE_MS = 1_000;

/** A broker that answers takes milliseconds. */
export const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Consumes one queue, batch after batch, until told to stop; then gives back what it has not touched.
 * @throws where the connection or the channel breaks: the broker then delivers again what was not acknowledged
 */
export async function pollQueue(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  stop: AbortSignal,
  trouble: OutageLog,
  onConsuming: () => void,
): Promise<void> {
  const queue = queueOf(ctx.config.events, polled);
  const channel = await connection.model.createChannel();
  const buffer = new MessageBuffer();
  channel.on('error', (error) => buffer.fail(explainBrokerError(error)));
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
    throw explainBrokerError(error);
  });
  onConsuming();

  let acknowledged = Promise.resolve();
  let rest: ConsumeMessage[] = [];
  try {
    while (!stop.aborted) {
      const batch =
        rest.length > 0
          ? [...rest, ...buffer.take(ctx.config.poll.batchSize - rest.length)]
          : await collectBatch(buffer, ctx.config.poll, stop);
      if (batch.length === 0) continue;
      const result = await handleBatch(ctx, connection, polled, batch, stop, trouble);
      rest = result.rest;
      const settled = batch.filter((message) => !result.rest.includes(message));
      if (settled.length > 0) {
        // One acknowledgement is for all before it as well, so it waits for theirs.
        acknowledged = Promise.all([acknowledged, result.sendOn()]).then(() => {
          acknowledge(channel, settled, result.rest.length === 0);
          trouble.recovered();
        });
        acknowledged.catch((error: Error) => buffer.fail(error));
      }
      // To give the rest back to the queue would only have it delivered again at once.
      if (rest.length > 0) await wait(UNAVAILABLE_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
      buffer.throwIfFailed();
    }
  } finally {
    // Whatever ends this, nothing of it is under way afterwards.
    await acknowledged.catch(() => {});
  }
  await acknowledged;
  // Never basic.cancel before: that alone makes the next consumer the active one, and it would get what is behind the
  // messages in our hands before the close returns those. The close does both at once. See docs/decisions.md.
  if ((await within(CLOSE_TIMEOUT_MS, channel.close(), 'late')) === 'late')
    throw new BrokerError('The broker does not answer', `no close-ok for the channel on ${queue}`);
}

/** @param isAll whether nothing before the last of them is still in hand */
function acknowledge(channel: Channel, messages: ConsumeMessage[], isAll: boolean): void {
  const last = messages.at(-1);
  if (isAll && last) channel.ack(last, true);
  else for (const message of messages) channel.ack(message);
}

/** @returns the whole batch as the rest where the database cannot be reached */
async function handleBatch(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  batch: ConsumeMessage[],
  stop: AbortSignal,
  trouble: OutageLog,
): Promise<BatchResult> {
  try {
    const result =
      polled === DEAD_LETTERS
        ? await handleDeadLetters(ctx, connection, batch, stop)
        : await handleEvents(ctx, connection, polled, batch, stop);
    const reason = result.unavailable;
    const message = 'A function cannot take its messages right now';
    if (reason !== undefined && trouble.tell('warn', message, { function: polled, reason })) {
      void noteProblem(ctx, 'poll-queues', `${message}: ${polled}`);
    }
    return result;
  } catch (error) {
    // Only the database is asked before a batch is settled.
    trouble.failed(error);
    return { sendOn: async () => {}, rest: batch };
  }
}
