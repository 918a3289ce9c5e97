import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import * as amqp from 'amqplib';
import { type Broker, startBroker } from '../../local/amqp-broker';

/** A connection that does not wait for acknowledgements of the network (Nagle), which costs 40 ms a step. */
export async function connect(url: string): Promise<ChannelModel> {
  const model = await amqp.connect(url, { noDelay: true });
  model.on('error', () => undefined);
  return model;
}

/** How the server closed a channel or a connection. */
export interface Refusal {
  code: number;
  classId: number;
  methodId: number;
  message: string;
}

/**
 * The broker a suite speaks to: the one of RABBITMQ_URL, so that what is asserted here is what RabbitMQ does, or
 * an embedded one of its own. Names are unique, and what was named is deleted in the end.
 */
export class BrokerUnderTest {
  url = process.env['RABBITMQ_URL'] ?? '';
  #embedded: Broker | undefined;
  readonly #prefix = `broker-test-${randomUUID()}`;
  readonly #queues = new Set<string>();
  readonly #exchanges = new Set<string>();
  #models: ChannelModel[] = [];

  async start(): Promise<void> {
    if (this.url) return;
    this.#embedded = await startBroker({ port: 0 });
    this.url = this.#embedded.url;
  }

  /** After each test: no connection, and so no exclusive queue, lives on into the next. */
  async disconnect(): Promise<void> {
    const models = this.#models;
    this.#models = [];
    await Promise.all(models.map((model) => model.close().catch(() => undefined)));
  }

  async stop(): Promise<void> {
    const channel = await this.channel();
    for (const queue of this.#queues) await channel.deleteQueue(queue);
    for (const exchange of this.#exchanges) await channel.deleteExchange(exchange);
    await this.disconnect();
    await this.#embedded?.stop();
  }

  queue(name: string): string {
    const queue = `${this.#prefix}.${name}`;
    this.#queues.add(queue);
    return queue;
  }

  exchange(name: string): string {
    const exchange = `${this.#prefix}.${name}`;
    this.#exchanges.add(exchange);
    return exchange;
  }

  async connect(): Promise<ChannelModel> {
    const model = await connect(this.url);
    this.#models.push(model);
    return model;
  }

  async channel(): Promise<Channel> {
    const channel = await (await this.connect()).createChannel();
    channel.on('error', () => undefined);
    return channel;
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    const channel = await (await this.connect()).createConfirmChannel();
    channel.on('error', () => undefined);
    return channel;
  }
}

/** Registers the hooks of a suite. */
export function useBroker(): BrokerUnderTest {
  const broker = new BrokerUnderTest();
  beforeAll(() => broker.start());
  afterEach(() => broker.disconnect());
  afterAll(() => broker.stop());
  return broker;
}

/** Publishes and waits for the broker's answer: true for an ack. */
export function publish(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  body: string,
  options: Parameters<ConfirmChannel['publish']>[3] = {},
): Promise<boolean> {
  return new Promise((resolve) => {
    channel.publish(exchange, routingKey, Buffer.from(body), options, (error) => resolve(!error));
  });
}

/** What consumers got, in the order in which it came, with a way to wait for it. */
export class Inbox {
  readonly messages: ConsumeMessage[] = [];
  #wake: () => void = () => undefined;

  add(message: ConsumeMessage | null): void {
    if (message) this.messages.push(message);
    this.#wake();
  }

  async atLeast(count: number): Promise<ConsumeMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.messages;
  }

  get bodies(): string[] {
    return this.messages.map(({ content }) => content.toString());
  }
}

export async function consume(
  channel: Channel,
  queue: string,
  options: Parameters<Channel['consume']>[2] = {},
): Promise<Inbox & { tag: string }> {
  const inbox = new Inbox();
  const { consumerTag } = await channel.consume(queue, (message) => inbox.add(message), options);
  return Object.assign(inbox, { tag: consumerTag });
}

/** The next message of a queue, however long it takes to get there. */
export async function nextMessage(channel: Channel, queue: string): Promise<ConsumeMessage> {
  const inbox = await consume(channel, queue, { noAck: true });
  const [message] = await inbox.atLeast(1);
  await channel.cancel(inbox.tag);
  if (!message) throw new Error('no message');
  return message;
}

/** The error with which the server closes a channel or a connection. */
export function refusal(closing: Channel | ChannelModel): Promise<Refusal> {
  return new Promise((resolve) => {
    closing.once('error', (error: Error & Partial<Refusal>) => {
      const { code = 0, classId = 0, methodId = 0, message } = error;
      resolve({ code, classId, methodId, message });
    });
  });
}
