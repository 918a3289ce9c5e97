import { setTimeout as wait } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { BrokerError, explainBrokerError } from '../broker/broker-error';
import type { BrokerConnection } from '../broker/connection';
import type { OutageLog } from '../broker/outage-log';
import { DEAD_LETTERS, type PolledQueue, queueOf, RECEIPTS } from '../broker/topology';
import { within } from '../within';
import { availabilityOf } from './availability';
import { collectBatch, earliestAfter, MessageBuffer } from './batch';
import { handleEvents } from './handle-events';
import { handleMessages } from './handle-messages';
import type { BatchResult, PollContext } from './types';

/** Pause while a function or the database is unavailable. The batch stays unacknowledged, and no attempt is counted. */
const UNAVAILABLE_PAUSE_MS = 1_000;

/** A responsive broker needs milliseconds. */
export const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Consumes one queue, batch after batch, until the signal aborts; then returns unhandled messages to the queue.
 * @throws if the connection or the channel breaks; the broker then redelivers what was not acknowledged
 */
export async function pollQueue(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  stop: AbortSignal,
  outageLog: OutageLog,
  onConsuming: () => void,
): Promise<void> {
  const queue = queueOf(ctx.config.events, polled);
  const channel = await connection.model.createChannel();
  const buffer = new MessageBuffer();
  channel.on('error', (error) => buffer.fail(explainBrokerError(error)));
  channel.on('close', () => buffer.fail(new Error(`The channel on ${queue} was closed`)));
  stop.addEventListener('abort', () => buffer.wake(), { once: true });
  // Several batches, so that the next ones are handled while the broker confirms the copies of one. Independent of the
  // batch size: a quorum queue puts returned messages behind those that were returned earlier, so if the next poller had a
  // smaller prefetch, the rest of an earlier return would come first.
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

  const reportAvailability = availabilityOf(ctx, polled, outageLog);
  let acknowledged = Promise.resolve();
  let rest: ConsumeMessage[] = [];
  let earliest = 0;
  try {
    while (!stop.aborted) {
      const batch =
        rest.length > 0
          ? [...rest, ...buffer.take(ctx.config.poll.batchSize - rest.length)]
          : await collectBatch(buffer, ctx.config.poll, stop, earliest);
      if (batch.length === 0) continue;
      const startedAt = performance.now();
      const result = await handleBatch(ctx, connection, polled, batch, stop, outageLog);
      reportAvailability(result.unavailable);
      earliest = earliestAfter(startedAt, performance.now(), ctx.config.poll);
      rest = result.rest;
      const settled = batch.filter((message) => !result.rest.includes(message));
      if (settled.length > 0) {
        // Acknowledging `multiple` covers all earlier messages, so it waits for the earlier batches.
        acknowledged = Promise.all([acknowledged, result.sendOn()]).then(() => {
          acknowledge(channel, settled, result.rest.length === 0);
          outageLog.recovered();
        });
        acknowledged.catch((error: Error) => buffer.fail(error));
      }
      // Returning the rest to the queue would only have it redelivered at once.
      if (rest.length > 0) await wait(UNAVAILABLE_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
      buffer.throwIfFailed();
    }
  } finally {
    // However the loop ends, wait for the last acknowledgement.
    await acknowledged.catch(() => {});
  }
  await acknowledged;
  // Without basic.cancel first: it would activate the next consumer, which would get later messages before the close
  // returns ours. Closing the channel does both at once. See docs/decisions.md.
  if ((await within(CLOSE_TIMEOUT_MS, channel.close(), 'late')) === 'late')
    throw new BrokerError('The broker does not answer', `no close-ok for the channel on ${queue}`);
}

/** @param isAll whether no earlier message is still unsettled */
function acknowledge(channel: Channel, messages: ConsumeMessage[], isAll: boolean): void {
  const last = messages.at(-1);
  if (isAll && last) channel.ack(last, true);
  else for (const message of messages) channel.ack(message);
}

/** @returns the whole batch as the rest if the database is unavailable */
async function handleBatch(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: PolledQueue,
  batch: ConsumeMessage[],
  stop: AbortSignal,
  outageLog: OutageLog,
): Promise<BatchResult> {
  try {
    if (polled === DEAD_LETTERS || polled === RECEIPTS)
      return await handleMessages(ctx, connection, polled, batch, stop);
    return await handleEvents(ctx, connection, polled, batch, stop);
  } catch (error) {
    // Before a batch is settled, only the database can fail.
    outageLog.failed(error);
    return { sendOn: async () => {}, rest: batch };
  }
}
