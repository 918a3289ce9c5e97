import { uuidv7 } from 'uuidv7';
import { type Broker, createBroker } from '../../shared/broker/connection';
import { deadExchangeOf, type PolledQueue, queueOf } from '../../shared/broker/topology';
import type { InvokeOutcome } from '../../shared/lambda/invoke';
import type { BatchResponse, RmqEvent, RmqMessage } from '../../shared/lambda/rmq-event';
import { pollQueues } from '../../shared/poller/poll-queues';
import type { PollContext } from '../../shared/poller/types';
import { brokerUrl, openClient, Received } from './broker';
import { type TestContext, testContext } from './context';
import { startProxy, type TcpProxy } from './proxy';

export type Answer = (event: RmqEvent) => BatchResponse | InvokeOutcome | null;
/** A function that takes its time. */
export type SlowAnswer = (event: RmqEvent) => ReturnType<Answer> | Promise<ReturnType<Answer>>;

export const done: Answer = () => ({ batchItemFailures: [] });

/** Fails these events, and does all others. */
export function failing(ids: string[], reason = 'no luck'): (event: RmqEvent) => BatchResponse {
  return (event) => ({
    batchItemFailures: messagesOf(event)
      .map((message) => String(message.basicProperties.messageId))
      .filter((id) => ids.includes(id))
      .map((itemIdentifier) => ({ itemIdentifier, reason })),
  });
}

export const messagesOf = (event: RmqEvent) => Object.values(event.rmqMessagesByQueue).flat();
export const bodyOf = (message: RmqMessage) => JSON.parse(Buffer.from(message.data, 'base64').toString());

export function userEvent(id: string = uuidv7(), subject: string = uuidv7(), sequence = '0000000001') {
  return {
    specversion: '1.0',
    id,
    source: 'rollcall',
    type: 'user.deleted',
    subject,
    time: '2026-11-20T16:37:15.123Z',
    datacontenttype: 'application/json',
    sequence,
    data: { id: subject },
  };
}

/** Pollers over queues of the suite's own, with functions that the tests supply; the connection goes through a proxy. */
export class Polling {
  readonly #polls: { stop(): Promise<void> }[] = [];

  private constructor(
    readonly proxy: TcpProxy,
    readonly ctx: TestContext,
    readonly client: Awaited<ReturnType<typeof openClient>>,
  ) {}

  static async open(environment: Record<string, string> = {}): Promise<Polling> {
    const proxy = await startProxy(brokerUrl());
    const ctx = await testContext({
      RABBITMQ_URL: proxy.url,
      RETRY_DELAYS_MS: '20,40',
      POLL_BATCH_SIZE: '10',
      ...environment,
    });
    return new Polling(proxy, ctx, await openClient());
  }

  async close(): Promise<void> {
    for (const poll of this.#polls) await poll.stop();
    await this.client.model.close();
    await this.ctx.close();
    await this.proxy.stop();
  }

  /** Runs a poller, on a connection of its own, with this function in the place of the audit consumer. */
  poll(
    answer: SlowAnswer,
    batching: Partial<PollContext['config']['poll']> = {},
    storeDeadLetters: SlowAnswer = done,
  ) {
    const { ctx } = this;
    const calls: { name: string; event: RmqEvent; messages: RmqMessage[] }[] = [];
    const deadLetterCalls: RmqEvent[] = [];
    let wake = () => {};
    const invoke: PollContext['invoke'] = async (name, payload) => {
      // As JSON and back, as it would cross the wire.
      const event = JSON.parse(JSON.stringify(payload)) as RmqEvent;
      const isDeadLetters = name.endsWith('-dead-letters');
      // Consumers of some of the types have nothing to add to what the one of all of them shows.
      if (!isDeadLetters && !name.endsWith('-audit')) return { kind: 'answered', payload: null };
      if (isDeadLetters) deadLetterCalls.push(event);
      else calls.push({ name, event, messages: messagesOf(event) });
      const result = isDeadLetters ? storeDeadLetters(event) : answer(event);
      wake();
      const settled = await result;
      return settled !== null && 'kind' in settled ? settled : { kind: 'answered', payload: settled };
    };
    const stopping = new AbortController();
    const config = { ...ctx.config, poll: { ...ctx.config.poll, ...batching } };
    const queue = queueOf(config.events, 'audit');
    let subscribed = () => {};
    const consuming = new Promise<void>((resolve) => (subscribed = resolve));
    const broker = watched(createBroker(config.broker.url, 'rollcall-test', ctx.log), queue, subscribed);
    const run = pollQueues({ ...ctx, config, broker, invoke }, 60_000, stopping.signal);
    const handle = {
      calls,
      deadLetterCalls,
      /** Resolves when it has subscribed to the audit queue, as the active consumer or behind it. */
      consuming,
      /** The events' sequences, in the order in which the function was given them. */
      sequences: () => calls.flatMap((item) => item.messages).map((message) => bodyOf(message).sequence),
      /** How often each message was delivered to the function. */
      deliveries: () => {
        const counts: Record<string, number> = {};
        for (const { basicProperties } of calls.flatMap((item) => item.messages)) {
          const id = String(basicProperties.messageId);
          counts[id] = (counts[id] ?? 0) + 1;
        }
        return counts;
      },
      until: async (condition: () => boolean) => {
        while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
      },
      stop: async () => {
        stopping.abort();
        await run;
        await broker.close();
      },
    };
    this.#polls.push(handle);
    return handle;
  }

  /** Sends events to the audit consumer's queue. @returns their ids */
  async send(count: number): Promise<string[]> {
    return this.sendEvents(Array.from({ length: count }, () => userEvent()));
  }

  /** So many events of one user. @returns their ids */
  async sendOfOneUser(count: number): Promise<string[]> {
    const subject = uuidv7();
    return this.sendEvents(
      Array.from({ length: count }, (_, i) => userEvent(uuidv7(), subject, String(i + 1).padStart(10, '0'))),
    );
  }

  async sendEvents(events: ReturnType<typeof userEvent>[]): Promise<string[]> {
    for (const item of events) this.publish(item.id, Buffer.from(JSON.stringify(item)));
    await this.client.channel.waitForConfirms();
    return events.map((item) => item.id);
  }

  publish(messageId: string, body: Buffer): void {
    const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', count: 3 };
    // To this queue alone: how many others want the type is not what is tested here.
    this.client.channel.publish('', queueOf(this.ctx.config.events, 'audit'), body, {
      messageId,
      type: 'user.deleted',
      appId: 'rollcall',
      contentType: 'application/cloudevents+json',
      timestamp: 1_795_190_235,
      persistent: true,
      headers,
    });
  }

  /** A look at the dead letters beside the function that stores them. */
  async deadLetters(): Promise<Received> {
    const { queue } = await this.client.channel.assertQueue('', { exclusive: true });
    await this.client.channel.bindQueue(queue, deadExchangeOf(this.ctx.config.events), '');
    return Received.from(this.client.channel, queue);
  }

  async queued(polled: PolledQueue = 'audit'): Promise<number> {
    return (await this.client.channel.checkQueue(queueOf(this.ctx.config.events, polled))).messageCount;
  }

  retrying() {
    return this.ctx.db.selectFrom('retrying_events').select(['event_id', 'consumer']).execute();
  }
}

/** A broker that tells of the first subscription to a queue: of those that stand by, RabbitMQ tells nobody. */
function watched(broker: Broker, queue: string, onConsume: () => void): Broker {
  const open = async (timeoutMs: number) => {
    const connection = await broker.open(timeoutMs);
    const { model } = connection;
    const createChannel = model.createChannel.bind(model);
    model.createChannel = async () => {
      const channel = await createChannel();
      const consume = channel.consume.bind(channel);
      channel.consume = async (name, ...rest) => {
        const reply = await consume(name, ...rest);
        if (name === queue) onConsume();
        return reply;
      };
      return channel;
    };
    return connection;
  };
  return { ...broker, open };
}
