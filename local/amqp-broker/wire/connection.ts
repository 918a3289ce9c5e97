import type { Socket } from 'node:net';
import { AmqpError, asAmqpError } from '../model/values/errors';
import type { Message } from '../model/values/message';
import type { VirtualHost } from '../model/vhost';
import type { Alarms } from './alarms';
import type { ChannelConnection } from './channel/channel';
import { ChannelSet } from './channel/channel-set';
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameReader,
  HEARTBEAT_FRAME,
  PROTOCOL_HEADER,
} from './codec/frames';
import { decodeMethod, encodeMethod, methodIds } from './codec/method-codec';
import type { Args, Method, MethodName } from './codec/methods';
import { Handshake } from './handshake';
import { Heartbeat } from './heartbeat';
import { Output } from './output';

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
}

/** A `closing` connection waits for close-ok; a `closed` one only has output left. */
type Phase = 'header' | 'handshake' | 'running' | 'closing' | 'closed';

/** Frames accepted before tuning. */
const UNTUNED_FRAME_MAX = 8192;
const HANDSHAKE_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 2_000;

/** One client connection: from the protocol header to the close, and its channels in between. */
export class Connection implements ChannelConnection {
  readonly #reader = new FrameReader(UNTUNED_FRAME_MAX);
  readonly #output: Output;
  readonly #heartbeat: Heartbeat;
  #phase: Phase = 'header';
  #handshake: Handshake | undefined;
  #channelMax = 0;
  #channels: ChannelSet | undefined;
  /** Whether it has ever published. */
  #publishes = false;
  /** Whether a resource alarm stopped it: nothing is read from it until the alarm is cleared. */
  #blocked = false;
  #deadline: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    readonly context: ConnectionContext,
  ) {
    this.#output = new Output(socket, UNTUNED_FRAME_MAX, () => this.#onRoom());
    this.#heartbeat = new Heartbeat(
      () => this.#beat(),
      () => socket.destroy(new Error('the client missed two heartbeats')),
    );
    this.#deadline = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => context.log(`connection: ${error.message}`));
    socket.on('close', () => this.#onSocketClose());
  }

  get isCongested(): boolean {
    return this.#output.isCongested;
  }

  get notifiesCancel(): boolean {
    return this.#handshake?.hasCapability('consumer_cancel_notify') ?? false;
  }

  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void {
    this.#output.method(channel, name, args, message);
    this.requestFlush();
  }

  requestFlush(): void {
    this.context.requestFlush(this);
  }

  flush(): void {
    this.#channels?.flush();
    this.#output.flush();
    if (this.#phase === 'closed') this.socket.end();
  }

  /** What it has to say waits for the journal: a publisher is told why its confirms do not come. */
  hold(): void {
    if (this.#publishes) this.#block();
  }

  /** The last resource alarm was cleared. */
  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#notify('connection.unblocked', {});
    this.#resume();
    this.#serve();
  }

  /** Ends the connection for a reason, and waits for the peer to agree. */
  close(error: AmqpError): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#release();
    // The peer's close-ok has to be read.
    this.#blocked = false;
    this.#resume();
    // A peer that has not said what it speaks is not told in AMQP.
    if (this.#phase === 'header') {
      this.#end();
      return;
    }
    this.#phase = 'closing';
    this.#setDeadline();
    const cause = methodIds(error.method);
    this.send(0, 'connection.close', { replyCode: error.code, replyText: error.message, ...cause });
  }

  tuned({ channelMax, frameMax, heartbeat }: Args<'connection.tune-ok'>): void {
    this.#channelMax = channelMax;
    this.#reader.maxSize = frameMax;
    this.#output.frameMax = frameMax;
    this.#heartbeat.start(heartbeat);
  }

  opened(vhost: VirtualHost): void {
    clearTimeout(this.#deadline);
    this.#channels = new ChannelSet(this, vhost, this.#channelMax);
    this.#phase = 'running';
  }

  refused(error?: AmqpError): void {
    this.context.log('login refused');
    if (error) this.close(error);
    else this.#end();
  }

  #onData(chunk: Buffer): void {
    this.#heartbeat.received = true;
    if (this.#phase === 'closed') return;
    this.#reader.push(chunk);
    this.#serve();
  }

  /** Serves the frames that have come, as long as there is room for the replies. */
  #serve(): void {
    try {
      if (this.#phase === 'header') this.#greet();
      while (this.#phase !== 'header' && this.#phase !== 'closed' && this.#mayRead) {
        const frame = this.#reader.next();
        if (!frame) break;
        this.#onFrame(frame);
      }
    } catch (thrown) {
      const error = asAmqpError(thrown);
      this.context.log(`closing a connection: ${error.message}`);
      // Unreadable input while waiting for close-ok: there is no point in waiting.
      if (this.#phase === 'closing') this.socket.destroy();
      this.close(error);
    }
  }

  /** Answers the protocol header; a wrong one gets the right one back (section 4.2.2). */
  #greet(): void {
    const header = this.#reader.take(PROTOCOL_HEADER.length);
    if (!header) return;
    if (header.equals(PROTOCOL_HEADER)) {
      this.#phase = 'handshake';
      this.#handshake = new Handshake(this.context, this);
      return;
    }
    this.#output.bytes(PROTOCOL_HEADER);
    this.#end();
  }

  #onFrame(frame: Frame): void {
    if (frame.type === FRAME.HEARTBEAT) {
      // They belong to the connection (section 4.2.7).
      if (frame.channel !== 0) throw new AmqpError('UNEXPECTED_FRAME', 'type 8, all octets = <<>>');
      return;
    }
    if (frame.channel !== 0) {
      if (this.#phase === 'closing') return;
      if (!this.#channels) throw new AmqpError('CHANNEL_ERROR', 'the connection is not open');
      this.#channels.onFrame(frame);
      if (frame.type === FRAME.HEADER) this.#onPublish();
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
      // Passwords do not expire here; the client only wants to hear that its new one is in use.
      this.send(0, 'connection.update-secret-ok', {});
    } else throw new AmqpError('CHANNEL_ERROR', `unexpected method in connection state ${this.#phase}`);
  }

  #beat(): void {
    // A blocked peer's heartbeats are not read.
    if (this.#blocked) this.#heartbeat.received = true;
    if (this.#output.hasWritten()) return;
    this.#output.urgent(HEARTBEAT_FRAME);
  }

  get #mayRead(): boolean {
    return !this.#blocked && !this.#output.isFull;
  }

  #resume(): void {
    if (this.#mayRead) this.socket.resume();
  }

  /** RabbitMQ blocks a connection once it publishes, so that consumers go on, and drain what is stored. */
  #onPublish(): void {
    this.#publishes = true;
    if (this.context.alarms.reason !== undefined) this.#block();
  }

  #block(): void {
    const { reason } = this.context.alarms;
    if (this.#blocked || this.#phase !== 'running' || reason === undefined) return;
    this.#blocked = true;
    this.socket.pause();
    this.#notify('connection.blocked', { reason });
  }

  /** Only who asks for it hears of it (https://www.rabbitmq.com/docs/connection-blocked#capabilities). */
  #notify<M extends 'connection.blocked' | 'connection.unblocked'>(name: M, args: Args<M>): void {
    if (!this.#handshake?.hasCapability('connection.blocked')) return;
    this.#output.urgent(encodeFrame(FRAME.METHOD, 0, encodeMethod(name, args)));
  }

  #onRoom(): void {
    this.#resume();
    this.#serve();
    this.#channels?.resume();
  }

  /** Nothing more to do than to write what is left. */
  #end(): void {
    this.#phase = 'closed';
    this.#setDeadline();
    this.requestFlush();
  }

  #setDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT);
  }

  /** The channels end, and what they held goes back. */
  #release(): void {
    this.#channels?.close();
    this.#channels = undefined;
  }

  #onSocketClose(): void {
    this.#phase = 'closed';
    clearTimeout(this.#deadline);
    this.#heartbeat.stop();
    this.#release();
  }
}
