import type { ChannelModel } from 'amqplib';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import type { EventType, UserEvent } from '../shared/events/catalog';
import type { PublishingContext } from '../shared/outbox/publisher';
import { eventMessage } from '../shared/outbox/send-event';
import { measure } from './statistics';

/** As many as a relay has under way. */
const IN_FLIGHT = 1_000;

/** amqplib alone: the same message, to the same exchange, with confirms. @returns events/s */
export async function publishAlone(ctx: PublishingContext, type: EventType, count: number): Promise<number> {
  const { channel } = await ctx.broker.open(5_000);
  const { exchange, routingKey, body, properties } = eventMessage(ctx.config.events, sample(type));
  let sent = 0;
  const publishOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { ...properties, messageId: uuidv7(), persistent: true, mandatory: true };
      channel.publish(exchange, routingKey, body, options, (error) => (error ? reject(error) : resolve()));
    });
  const lane = async () => {
    while (sent++ < count) await publishOne();
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return count / ((performance.now() - startedAt) / 1000);
}

/** amqplib alone, one confirmed publish after the other. @returns milliseconds of each, ascending */
export async function publishInTurn(
  ctx: PublishingContext,
  type: EventType,
  count: number,
): Promise<number[]> {
  const { channel } = await ctx.broker.open(5_000);
  const { exchange, routingKey, body, properties } = eventMessage(ctx.config.events, sample(type));
  return measure(
    count,
    () =>
      new Promise<void>((resolve, reject) => {
        const options = { ...properties, messageId: uuidv7(), persistent: true, mandatory: true };
        channel.publish(exchange, routingKey, body, options, (error) => (error ? reject(error) : resolve()));
      }),
  );
}

/**
 * amqplib alone: takes so many events from all the queues that have them, side by side as the poller does, and
 * acknowledges them by the batch. @returns events/s
 */
export async function consumeAlone(
  ctx: PublishingContext,
  queues: string[],
  count: number,
  batchSize: number,
): Promise<number> {
  const { model } = await ctx.broker.open(5_000);
  const startedAt = performance.now();
  await Promise.all(queues.map((queue) => consumeQueue(model, queue, count, batchSize)));
  return count / ((performance.now() - startedAt) / 1000);
}

async function consumeQueue(
  model: ChannelModel,
  queue: string,
  count: number,
  batchSize: number,
): Promise<void> {
  const channel = await model.createChannel();
  await channel.prefetch(2 * batchSize);
  let taken = 0;
  await new Promise<void>((resolve) => {
    void channel.consume(queue, (message) => {
      if (!message) return;
      taken += 1;
      if (taken % batchSize === 0) channel.ack(message, true);
      if (taken === count) resolve();
    });
  });
  await channel.close();
}

/** PostgreSQL alone: one small row after the other, each with its commit. @returns rows/s */
export async function insertAlone(ctx: PublishingContext, count: number): Promise<number> {
  await sql`create table if not exists raw_inserts (id uuid primary key, data jsonb)`.execute(ctx.db);
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) {
    await sql`insert into raw_inserts values (${uuidv7()}, ${'{"id": "x"}'})`.execute(ctx.db);
  }
  return count / ((performance.now() - startedAt) / 1000);
}

function sample(type: EventType): UserEvent {
  const id = uuidv7();
  const data = { id, username: 'user_1', email: 'user_1@example.com', role: 'user', createdAt: '2026-11-20' };
  const envelope = { specversion: '1.0', source: 'rollcall', datacontenttype: 'application/json' } as const;
  return {
    ...envelope,
    id,
    type,
    subject: id,
    time: new Date().toISOString(),
    sequence: '0000000001',
    data,
  } as UserEvent;
}
