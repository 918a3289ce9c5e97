import { randomBytes } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import {
  CONSUMER_NAMES,
  deadExchangeOf,
  declareTopology,
  queueOf,
  retryExchangeOf,
  WITHOUT_EVENTS,
} from '../../shared/broker/topology';
import type { Config } from '../../shared/config';
import { createLog } from '../../shared/log';

export function brokerUrl(): string {
  return process.env['TEST_RABBITMQ_URL'] ?? '';
}

/** A host name with a label that is too long to exist, so that it is refused without asking a name server. */
export const NO_HOST = `${'x'.repeat(64)}.invalid`;

/** Names that no other suite uses, on the broker that all of them share. */
export function uniqueNames(): { EVENT_EXCHANGE: string; QUEUE_PREFIX: string } {
  const name = `rollcall-test-${randomBytes(6).toString('hex')}`;
  return { EVENT_EXCHANGE: `${name}.user_events`, QUEUE_PREFIX: name };
}

/** A client of its own, for looking at what the system under test sends, and for sending it things. */
export async function openClient(
  url = brokerUrl(),
): Promise<{ model: ChannelModel; channel: ConfirmChannel }> {
  const model = await connect(url);
  model.on('error', () => {});
  const channel = await model.createConfirmChannel();
  channel.on('error', () => {});
  return { model, channel };
}

/** What the relay and the poller declare at their start. */
export async function declare(events: Config['events']): Promise<void> {
  const { model } = await openClient();
  await declareTopology(model, events, createLog('silent'));
  await model.close();
}

/** Everything that `declareTopology` declares, taken away again. */
export async function deleteTopology(events: Config['events']): Promise<void> {
  const { model, channel } = await openClient();
  const retries = events.retryDelaysMs.map((delayMs) => retryExchangeOf(events, delayMs));
  const queues = CONSUMER_NAMES.map((name) => queueOf(events, name));
  for (const queue of [...queues, ...retries, ...WITHOUT_EVENTS.map((name) => queueOf(events, name))])
    await channel.deleteQueue(queue);
  for (const exchange of [events.exchange, ...retries, deadExchangeOf(events)])
    await channel.deleteExchange(exchange);
  for (const { exchange, queue } of events.mirrors) {
    if (queue !== undefined) await channel.deleteQueue(queue);
    if (exchange !== '') await channel.deleteExchange(exchange);
  }
  await model.close();
}

/** Consumes a queue into a list that a test can wait on. */
export class Received {
  readonly messages: ConsumeMessage[] = [];
  #wake: () => void = () => {};

  /** A queue of one's own, bound to the exchange by the pattern. */
  static async bound(channel: ConfirmChannel, exchange: string, pattern = '#'): Promise<Received> {
    await channel.assertExchange(exchange, 'topic');
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, pattern);
    return Received.from(channel, queue);
  }

  static async from(channel: ConfirmChannel, queue: string): Promise<Received> {
    const received = new Received();
    await channel.consume(
      queue,
      (message) => {
        if (message) received.messages.push(message);
        received.#wake();
      },
      { noAck: true },
    );
    return received;
  }

  /** Resolves once so many have come; the test's own time limit is the limit. */
  async atLeast(count: number): Promise<ConsumeMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.messages;
  }

  bodies(): Record<string, unknown>[] {
    return this.messages.map((message) => JSON.parse(message.content.toString()));
  }
}
