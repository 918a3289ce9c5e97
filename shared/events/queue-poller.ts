import { setTimeout as wait } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import { collectBatch, MessageBuffer } from './batch';
import { deliverBatch } from './deliver';
import type { PollContext } from './poller';
import { settleFailed } from './settle';
import { type Consumer, queueOf } from './topology';

/** While Lambda takes no more calls. The messages wait here, unacknowledged, and no attempt is counted. */
const UNAVAILABLE_PAUSE_MS = 1_000;

/**
 * Consumes one queue, batch after batch, until told to stop; then gives back what it has not touched.
 * @throws where the connection or the channel breaks: the broker then delivers again what was not acknowledged
 */
export async function pollQueue(
  ctx: PollContext,
  connection: BrokerConnection,
  consumer: Consumer,
  stop: AbortSignal,
): Promise<void> {
  const { batchSize } = ctx.config.poll;
  const queue = queueOf(ctx.config.events, consumer);
  const channel = await connection.model.createChannel();
  const buffer = new MessageBuffer();
  channel.on('error', (error) => buffer.fail(error));
  channel.on('close', () => buffer.fail(new Error(`The channel on ${queue} was closed`)));
  stop.addEventListener('abort', () => buffer.wake(), { once: true });
  await channel.prefetch(batchSize);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message) buffer.push(message);
    else
      buffer.fail(
        new Error(`The broker cancelled the consumer of ${queue}: the queue was deleted or has moved`),
      );
  });

  while (!stop.aborted) {
    const batch = await collectBatch(buffer, ctx.config.poll, stop);
    if (batch.length > 0) await handleBatch(ctx, connection, channel, consumer, batch, stop);
  }
  await channel.cancel(consumerTag);
  // Closing returns the rest to its place in the queue.
  await channel.close();
}

async function handleBatch(
  ctx: PollContext,
  connection: BrokerConnection,
  channel: Channel,
  consumer: Consumer,
  batch: ConsumeMessage[],
  stop: AbortSignal,
): Promise<void> {
  let result = await deliverBatch(ctx, consumer, batch);
  while (result.kind === 'unavailable') {
    ctx.log.warn('The consumer function cannot be invoked right now', { consumer, reason: result.reason });
    await wait(UNAVAILABLE_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
    // Unacknowledged, so the broker delivers the batch again to the next run.
    if (stop.aborted) return;
    result = await deliverBatch(ctx, consumer, batch);
  }
  await settleFailed(ctx, connection, consumer, result.failed);
  const last = batch.at(-1);
  if (last) channel.ack(last, true);
}
