import { AmqpError, asAmqpError } from '../../model/values/errors';
import type { VirtualHost } from '../../model/vhost';
import { FRAME, type Frame } from '../codec/frames';
import { decodeMethod, methodIds } from '../codec/method-codec';
import type { MethodName } from '../codec/methods';
import { Channel, type ChannelConnection } from './channel';
import { handleMethod } from './channel-methods';
import { publish } from './publish';

/** The channels of an open connection. */
export class ChannelSet {
  readonly #open = new Map<number, Channel>();
  /** Channels that the broker has closed: whatever the client sends before its close-ok is ignored. */
  readonly #closing = new Set<number>();

  constructor(
    private readonly connection: ChannelConnection,
    private readonly vhost: VirtualHost,
    private readonly max: number,
  ) {}

  onFrame(frame: Frame): void {
    if (frame.type !== FRAME.METHOD) this.#onContent(frame);
    else this.#onMethod(frame);
  }

  /** Sends the publisher confirms of this turn of the event loop. */
  flush(): void {
    for (const channel of this.#open.values()) channel.confirms?.flush();
  }

  /** Resumes deliveries: the socket takes output again. */
  resume(): void {
    for (const channel of this.#open.values()) channel.resume();
  }

  /** Closes all channels, and deletes the connection's exclusive queues unless the broker is stopping. */
  close(): void {
    const channels = [...this.#open.values()];
    this.#open.clear();
    for (const channel of channels) channel.cancelReplies();
    if (!this.connection.context.serving) return;
    this.#release(channels, () => {
      for (const queue of [...this.vhost.queues.values()]) {
        if (queue.definition.owner === this.connection) this.vhost.deleteQueue(queue);
      }
    });
  }

  #onContent({ type, channel: number, payload }: Frame): void {
    const channel = this.#open.get(number);
    if (!channel) {
      if (this.#closing.has(number)) return;
      throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
    }
    this.#guard(channel, channel.content.method, () => {
      const { content } = channel;
      const published = type === FRAME.HEADER ? content.header(payload) : content.body(payload);
      if (published) publish(channel, published);
    });
  }

  #onMethod({ channel: number, payload }: Frame): void {
    const method = decodeMethod(payload);
    const channel = this.#open.get(number);
    if (method.name === 'channel.close' && (channel || this.#closing.has(number))) {
      if (channel) this.#drop(channel);
      this.#closing.delete(number);
      this.connection.send(number, 'channel.close-ok', {});
    } else if (method.name === 'channel.close-ok' && !channel) {
      // After both sides have closed at the same time, the client sends a close and a close-ok.
      this.#closing.delete(number);
    } else if (this.#closing.has(number)) return;
    else if (channel) this.#guard(channel, method.name, () => handleMethod(channel, method));
    else if (method.name === 'channel.open') this.#openChannel(number);
    else throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'").during(method.name);
  }

  #openChannel(number: number): void {
    if (number > this.max) {
      const reason = `channel number ${number} is above the negotiated channel_max (${this.max})`;
      throw new AmqpError('NOT_ALLOWED', reason).during('channel.open');
    }
    this.#open.set(number, new Channel(number, this.connection, this.vhost));
    this.connection.send(number, 'channel.open-ok', { reserved1: Buffer.alloc(0) });
  }

  /** Runs a step of a channel; a soft error closes only the channel. */
  #guard(channel: Channel, method: MethodName | undefined, step: () => void): void {
    try {
      step();
    } catch (thrown) {
      const error = asAmqpError(thrown).during(method);
      if (error.closes === 'connection') throw error;
      // Earlier publishes were accepted: confirm them before the close.
      channel.confirms?.flush();
      this.#drop(channel);
      this.#closing.add(channel.number);
      const { code: replyCode, message: replyText } = error;
      this.connection.send(channel.number, 'channel.close', { replyCode, replyText, ...methodIds(method) });
    }
  }

  #drop(channel: Channel): void {
    this.#open.delete(channel.number);
    channel.cancelReplies();
    this.#release([channel], () => undefined);
  }

  /**
   * Removes all consumers first, so that none of them is sent what another one returns. Messages are returned
   * before the queues serve their other consumers, so that they keep their order.
   */
  #release(channels: readonly Channel[], beforeReturn: () => void): void {
    const consumers = channels.flatMap((channel) => [...channel.consumers.values()]);
    for (const channel of channels)
      for (const consumer of [...channel.consumers.values()]) channel.detach(consumer);
    beforeReturn();
    for (const channel of channels) channel.deliveries.requeue(0, true);
    for (const { queue } of consumers) queue.dispatch();
  }
}
