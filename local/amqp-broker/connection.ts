import type { Socket } from 'node:net';
import { ChannelSet } from './channel-set';
import { decodeMethod, methodIds } from './codec';
import { AmqpError, asAmqpError } from './errors';
import { type FieldTable, NO_FIELDS } from './fields';
import { FRAME, type Frame, FrameReader, HEARTBEAT_FRAME, PROTOCOL_HEADER } from './frames';
import { checkTuning, hasCapability, OFFER, readCredentials, START } from './handshake';
import { startHeartbeat } from './heartbeat';
import type { Message } from './message';
import type { Args, Method, MethodName } from './methods';
import { Output } from './output';
import type { Flushable, Turn } from './turn';
import type { VirtualHost } from './vhost';

/** What connections share. */
export interface Shared {
  readonly vhosts: ReadonlyMap<string, VirtualHost>;
  readonly username: string;
  readonly password: string;
  readonly turn: Turn;
  readonly log: (line: string) => void;
  /** False once the broker stops: the connections' end must not change durable state then. */
  serving: boolean;
}

/** What the connection waits for; `closing` is for close-ok, and a `closed` one only has output left. */
type Phase = 'header' | 'start-ok' | 'tune-ok' | 'open' | 'running' | 'closing' | 'closed';

/** Frames accepted before tuning. */
const UNTUNED_FRAME_MAX = 8192;
const HANDSHAKE_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 2_000;

/** One client connection: from the protocol header to the close, and its channels in between. */
export class Connection implements Flushable {
  readonly #reader = new FrameReader(UNTUNED_FRAME_MAX);
  readonly #output: Output;
  #phase: Phase = 'header';
  #clientProperties: FieldTable = NO_FIELDS;
  #channelMax = 0;
  #channels: ChannelSet | undefined;
  #received = false;
  #stopHeartbeat: () => void = () => undefined;
  #deadline: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    private readonly shared: Shared,
  ) {
    this.#output = new Output(socket, UNTUNED_FRAME_MAX);
    this.#deadline = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('error', (error) => shared.log(`connection: ${error.message}`));
    socket.on('close', () => this.#onSocketClose());
  }

  get isServing(): boolean {
    return this.shared.serving;
  }

  get isCongested(): boolean {
    return this.#output.isCongested;
  }

  get notifiesCancel(): boolean {
    return hasCapability(this.#clientProperties, 'consumer_cancel_notify');
  }

  /** Refuses a message that claims to be from another user (https://www.rabbitmq.com/docs/validated-user-id). */
  checkPublisher({ userId }: Message): void {
    const { username } = this.shared;
    if (userId === undefined || userId === username) return;
    const reason = `user_id property set to '${userId}' but authenticated user was '${username}'`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }

  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void {
    this.#output.method(channel, name, args, message);
    this.shared.turn.request(this);
  }

  /** Something to confirm at the end of the turn. */
  requestFlush(): void {
    this.shared.turn.request(this);
  }

  flush(): void {
    this.#channels?.flush();
    this.#output.flush();
    if (this.#phase === 'closed') this.socket.end();
  }

  abort(error: unknown): void {
    this.shared.log(`journal: ${asAmqpError(error).message}`);
    this.socket.destroy();
  }

  /** Ends the connection for a reason, and waits for the peer to agree. */
  close(error: AmqpError): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#release();
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

  #onData(chunk: Buffer): void {
    this.#received = true;
    if (this.#phase === 'closed') return;
    try {
      this.#reader.push(chunk);
      if (this.#phase === 'header') this.#greet();
      if (this.#phase === 'header') return;
      for (let frame = this.#reader.next(); frame; frame = this.#reader.next()) this.#onFrame(frame);
    } catch (thrown) {
      const error = asAmqpError(thrown);
      this.shared.log(`closing a connection: ${error.message}`);
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
      this.#phase = 'start-ok';
      this.send(0, 'connection.start', START);
      return;
    }
    this.#output.bytes(PROTOCOL_HEADER);
    this.#end();
  }

  #onFrame(frame: Frame): void {
    if (this.#phase === 'closed' || frame.type === FRAME.HEARTBEAT) return;
    if (frame.channel !== 0) {
      if (this.#phase === 'closing') return;
      if (!this.#channels) throw new AmqpError('CHANNEL_ERROR', 'the connection is not open');
      this.#channels.onFrame(frame);
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

  #onMethod({ name, args }: Method): void {
    const phase = this.#phase;
    if (name === 'connection.close') {
      this.#release();
      this.send(0, 'connection.close-ok', {});
      this.#end();
    } else if (phase === 'closing') {
      if (name === 'connection.close-ok') this.#end();
    } else if (name === 'connection.start-ok' && phase === 'start-ok') this.#authenticate(args);
    else if (name === 'connection.tune-ok' && phase === 'tune-ok') this.#tune(args);
    else if (name === 'connection.open' && phase === 'open') this.#open(args);
    else if (name === 'connection.update-secret' && phase === 'running') {
      // Passwords do not expire here; the client only wants to hear that its new one is in use.
      this.send(0, 'connection.update-secret-ok', {});
    } else throw new AmqpError('COMMAND_INVALID', `${name} is not expected now`);
  }

  #authenticate({ clientProperties, mechanism, response }: Args<'connection.start-ok'>): void {
    this.#clientProperties = clientProperties;
    const { user, password } = readCredentials(mechanism, response);
    if (user === this.shared.username && password === this.shared.password) {
      this.#phase = 'tune-ok';
      this.send(0, 'connection.tune', OFFER);
      return;
    }
    this.shared.log(`login of '${user}' refused`);
    // https://www.rabbitmq.com/docs/auth-notification: others cannot tell a refusal from a broken connection.
    if (!hasCapability(clientProperties, 'authentication_failure_close')) {
      this.#end();
      return;
    }
    throw new AmqpError(
      'ACCESS_REFUSED',
      `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
      'connection',
    );
  }

  #tune(args: Args<'connection.tune-ok'>): void {
    checkTuning(args);
    this.#reader.maxSize = args.frameMax;
    this.#output.frameMax = args.frameMax;
    this.#channelMax = args.channelMax;
    this.#phase = 'open';
    if (args.heartbeat === 0) return;
    this.#stopHeartbeat = startHeartbeat(args.heartbeat, {
      hasSent: () => this.#output.hasWritten(),
      hasReceived: () => {
        const received = this.#received;
        this.#received = false;
        return received;
      },
      beat: () => {
        this.#output.bytes(HEARTBEAT_FRAME);
        this.shared.turn.request(this);
      },
      dead: () => {
        this.shared.log(`no heartbeat from the client for ${args.heartbeat * 2} s`);
        this.socket.destroy();
      },
    });
  }

  #open({ virtualHost }: Args<'connection.open'>): void {
    const vhost = this.shared.vhosts.get(virtualHost);
    if (!vhost) throw new AmqpError('NOT_ALLOWED', `vhost ${virtualHost} not found`);
    clearTimeout(this.#deadline);
    this.#channels = new ChannelSet(this, vhost, this.#channelMax);
    this.#phase = 'running';
    this.send(0, 'connection.open-ok', { reserved1: '' });
  }

  #onDrain(): void {
    this.socket.resume();
    this.#channels?.resume();
  }

  /** Nothing more to do than to write what is left. */
  #end(): void {
    this.#phase = 'closed';
    this.#setDeadline();
    this.shared.turn.request(this);
  }

  #setDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT);
  }

  #release(): void {
    this.#channels?.close();
    this.#channels = undefined;
  }

  #onSocketClose(): void {
    this.#phase = 'closed';
    clearTimeout(this.#deadline);
    this.#stopHeartbeat();
    this.#release();
  }
}
