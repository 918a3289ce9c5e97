import type { Socket } from 'node:net';
import { AmqpError, asAmqpError } from '../model/values/errors';
import type { Message } from '../model/values/message';
import type { VirtualHost } from '../model/vhost';
import { type Alarms, PublisherBlock } from './alarms';
import type { ChannelConnection } from './channel/channel';
import { ChannelSet } from './channel/channel-set';
import { FRAME, type Frame, PROTOCOL_HEADER } from './codec/frames';
import { decodeMethod, methodIds } from './codec/method-codec';
import type { Args, Method, MethodName } from './codec/methods';
import { FrameSocket } from './frame-socket';
import { Handshake, type HandshakeConnection } from './handshake';

/** What the connections of a broker share. */
export interface ConnectionContext {
  readonly vhosts: ReadonlyMap<string, VirtualHost>;
  readonly username: string;
  readonly password: string;
  readonly alarms: Alarms;
  /** Asks for `flush` (or `hold`) at the end of this turn of the event loop. */
  readonly requestFlush: (connection: Connection) => void;
  readonly log: (line: string) => void;
  /** False once the broker stops: connections that end must not change durable state then. */
  serving: boolean;
  /** An injected fault: publishers get no confirms. */
  withholdsConfirms: boolean;
}

/** `closing` waits for the client's close-ok; `closed` only has output left to send. */
type Phase = 'header' | 'handshake' | 'running' | 'closing' | 'closed';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** One client connection, from the protocol header to the close. */
export class Connection implements ChannelConnection, HandshakeConnection {
  readonly #socket: FrameSocket;
  #phase: Phase = 'header';
  #handshake: Handshake | undefined;
  #channelMax = 0;
  /** Both exist while the connection is running. */
  #channels: ChannelSet | undefined;
  #block: PublisherBlock | undefined;

  constructor(
    socket: Socket,
    readonly context: ConnectionContext,
  ) {
    this.#socket = new FrameSocket(socket, {
      onBytes: () => this.#serve(),
      onRoom: () => {
        this.#serve();
        this.#channels?.resume();
      },
      onError: (error) => context.log(`connection: ${error.message}`),
      onClose: () => {
        this.#phase = 'closed';
        this.#release();
      },
    });
    this.#socket.setDeadline(HANDSHAKE_TIMEOUT_MS);
  }

  get isCongested(): boolean {
    return this.#socket.isCongested;
  }

  get notifiesCancel(): boolean {
    return this.#handshake?.hasCapability('consumer_cancel_notify') ?? false;
  }

  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void {
    this.#socket.send(channel, name, args, message);
    this.requestFlush();
  }

  requestFlush(): void {
    this.context.requestFlush(this);
  }

  flush(): void {
    this.#channels?.flush();
    this.#socket.flush();
  }

  /** The journal cannot be written, so output has to wait: blocks a publisher, whose confirms do not come. */
  hold(): void {
    this.#block?.onHold();
  }

  /** Serves a blocked connection again, after the last resource alarm was cleared. */
  unblock(): void {
    if (!this.#block?.lift()) return;
    this.#notify('connection.unblocked', {});
    this.#socket.unblock();
    this.#serve();
  }

  /** Closes the connection for a reason, and waits for the client's close-ok. */
  close(error: AmqpError): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#release();
    // Read on even if blocked: close-ok is still to come.
    this.#socket.unblock();
    // A client that has not sent the protocol header may not speak AMQP.
    if (this.#phase === 'header') {
      this.#end();
      return;
    }
    this.#phase = 'closing';
    this.#socket.setDeadline(CLOSE_TIMEOUT_MS);
    const cause = methodIds(error.method);
    this.send(0, 'connection.close', { replyCode: error.code, replyText: error.message, ...cause });
  }

  /** Breaks the connection, as a network does. */
  cut(): void {
    this.#socket.destroy();
  }

  tuned(tuning: Args<'connection.tune-ok'>): void {
    this.#channelMax = tuning.channelMax;
    this.#socket.tune(tuning);
  }

  opened(vhost: VirtualHost): void {
    this.#socket.clearDeadline();
    this.#channels = new ChannelSet(this, vhost, this.#channelMax);
    this.#block = new PublisherBlock(this.context.alarms, (reason) => {
      this.#socket.block();
      this.#notify('connection.blocked', { reason });
    });
    this.#phase = 'running';
  }

  refused(error?: AmqpError): void {
    this.context.log('login refused');
    if (error) this.close(error);
    else this.#end();
  }

  /** Serves the frames that have arrived, as long as there is room for the replies. */
  #serve(): void {
    try {
      if (this.#phase === 'header') this.#greet();
      while (this.#phase !== 'header' && this.#phase !== 'closed') {
        const frame = this.#socket.nextFrame();
        if (!frame) break;
        this.#onFrame(frame);
      }
    } catch (thrown) {
      const error = asAmqpError(thrown);
      this.context.log(`closing a connection: ${error.message}`);
      // Input that cannot be read will not contain close-ok either.
      if (this.#phase === 'closing') this.#socket.destroy();
      this.close(error);
    }
  }

  /** Answers the protocol header; the answer to a wrong one is the right one (section 4.2.2). */
  #greet(): void {
    const header = this.#socket.takeBytes(PROTOCOL_HEADER.length);
    if (!header) return;
    if (header.equals(PROTOCOL_HEADER)) {
      this.#phase = 'handshake';
      this.#handshake = new Handshake(this.context, this);
      return;
    }
    this.#socket.sendBytes(PROTOCOL_HEADER);
    this.#end();
  }

  #onFrame(frame: Frame): void {
    if (frame.type === FRAME.HEARTBEAT) {
      // Heartbeats belong to the connection (section 4.2.7).
      if (frame.channel !== 0) throw new AmqpError('UNEXPECTED_FRAME', 'type 8, all octets = <<>>');
      return;
    }
    if (frame.channel !== 0) {
      if (this.#phase === 'closing') return;
      if (!this.#channels) throw new AmqpError('CHANNEL_ERROR', 'the connection is not open');
      this.#channels.onFrame(frame);
      if (frame.type === FRAME.HEADER) this.#block?.onPublish();
      return;
    }
    if (frame.type !== FRAME.METHOD)
      throw new AmqpError('UNEXPECTED_FRAME', 'expected a method on channel 0');
    const method = decodeMethod(frame.payload);
    try {
      this.#onMethod(method);
    } catch (error) {
      throw asAmqpError(error).during(method.name);
    }
  }

  #onMethod(method: Method): void {
    const { name } = method;
    if (name === 'connection.close') {
      this.#release();
      this.send(0, 'connection.close-ok', {});
      this.#end();
    } else if (this.#phase === 'closing') {
      if (name === 'connection.close-ok') this.#end();
    } else if (this.#phase === 'handshake') this.#handshake?.handle(method);
    else if (name === 'connection.update-secret') {
      // Passwords do not expire here: the client only needs to hear that the new one is in use.
      this.send(0, 'connection.update-secret-ok', {});
    } else throw new AmqpError('CHANNEL_ERROR', `unexpected method in connection state ${this.#phase}`);
  }

  /** Only clients that ask for it are notified (https://www.rabbitmq.com/docs/connection-blocked#capabilities). */
  #notify<M extends 'connection.blocked' | 'connection.unblocked'>(name: M, args: Args<M>): void {
    if (this.#handshake?.hasCapability('connection.blocked')) this.#socket.sendNow(name, args);
  }

  /** Sends what is left, then closes the socket. */
  #end(): void {
    this.#phase = 'closed';
    this.#socket.end();
    this.#socket.setDeadline(CLOSE_TIMEOUT_MS);
    this.requestFlush();
  }

  /** Closes the channels, which returns their unacknowledged messages to the queues. */
  #release(): void {
    this.#channels?.close();
    this.#channels = undefined;
    this.#block = undefined;
  }
}
