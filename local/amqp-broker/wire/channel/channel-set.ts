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
  /** Channels the broker has closed, until the client says it knows: what it sent before that is ignored. */
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

  /** Sends the confirms of this turn. */
  flush(): void {
    for (const channel of this.#open.values()) channel.confirms?.flush();
  }

  /** The socket takes output again. */
  resume(): void {
    for (const channel of this.#open.values()) channel.resume();
  }

  /** The connection ends: consumers first, so that nothing is given back to a consumer that goes as well. */
  close(): void {
    const channels = [...this.#open.values()];
    this.#open.clear();
    for (const channel of channels) channel.cancelReplies();
    if (!this.connection.context.serving) return;
    this.#release(channels, () => {
      for (const queue of [...this.vhost.queues.values()]) {
        if (queue.identity.owner === this.connection) this.vhost.deleteQueue(queue);
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
      // Also after both sides have closed at once: the client then sends a close and a close-ok.
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

  /** Runs a step of a channel; a soft error ends the channel only. */
  #guard(channel: Channel, method: MethodName | undefined, step: () => void): void {
    try {
      step();
    } catch (thrown) {
      const error = asAmqpError(thrown).during(method);
      if (error.closes === 'connection') throw error;
      // Earlier publishes were accepted, and the client may still be told.
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

  /** What the channels held goes back before anyone else is served, so that it keeps its place in the order. */
  #release(channels: readonly Channel[], beforeReturn: () => void): void {
    const consumers = channels.flatMap((channel) => [...channel.consumers.values()]);
    for (const channel of channels)
      for (const consumer of [...channel.consumers.values()]) channel.detach(consumer);
    beforeReturn();
    for (const channel of channels) channel.deliveries.requeue(0, true);
    for (const { queue } of consumers) queue.dispatch();
  }
}
