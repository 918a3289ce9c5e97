import { connect, type Socket } from 'node:net';
import { bool, type FieldTable, longstr, table } from '../../local/amqp-broker/model/values/fields';
import { encodeFrame, FRAME, FrameReader, PROTOCOL_HEADER } from '../../local/amqp-broker/wire/codec/frames';
import { decodeMethod, encodeMethod } from '../../local/amqp-broker/wire/codec/method-codec';
import type { Args, Method, MethodName } from '../../local/amqp-broker/wire/codec/methods';

/** What a client says about itself: it wants to hear why a login failed. */
export const CAPABLE: FieldTable = new Map([
  ['product', longstr('raw test client')],
  ['capabilities', table({ authentication_failure_close: bool(true) })],
]);

const TUNE: Args<'connection.tune-ok'> = { channelMax: 100, frameMax: 8192, heartbeat: 0 };

/** Speaks AMQP frame by frame, for everything that a proper client would not do. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #reader = new FrameReader(1 << 20);
  #received: Buffer[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port || 5672), noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#reader.push(chunk);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Every byte that came. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  bytes(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  frame(type: number, channel: number, payload: Buffer): void {
    this.bytes(encodeFrame(type, channel, payload));
  }

  method<M extends MethodName>(channel: number, name: M, args: Args<M>): void {
    this.frame(FRAME.METHOD, channel, encodeMethod(name, args));
  }

  /** A content header of basic content with the given property bytes. */
  header(channel: number, size: number, classId = 60, properties = Buffer.alloc(2)): void {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(classId, 0);
    head.writeBigUInt64BE(BigInt(size), 4);
    this.frame(FRAME.HEADER, channel, Buffer.concat([head, properties]));
  }

  publish(channel: number): void {
    const flags = { mandatory: false, immediate: false };
    this.method(channel, 'basic.publish', { ticket: 0, exchange: '', routingKey: 'nowhere', ...flags });
  }

  /** The next method, or undefined once the socket is closed. */
  async next(): Promise<Method | undefined> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame?.type === FRAME.METHOD) return decodeMethod(frame.payload);
      if (frame) continue;
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Up to the answer to connection.start-ok. */
  async login(
    clientProperties = CAPABLE,
    mechanism = 'PLAIN',
    response = '\0guest\0guest',
  ): Promise<Method | undefined> {
    this.bytes(PROTOCOL_HEADER);
    await this.next();
    const answer = { clientProperties, mechanism, response: Buffer.from(response), locale: 'en_US' };
    this.method(0, 'connection.start-ok', answer);
    return this.next();
  }

  /** Up to the answer to connection.open. */
  async open(tune = TUNE, virtualHost = '/'): Promise<Method | undefined> {
    await this.login();
    this.method(0, 'connection.tune-ok', tune);
    this.method(0, 'connection.open', { virtualHost, reserved1: '', reserved2: false });
    return this.next();
  }

  async openChannel(channel = 1): Promise<Method | undefined> {
    await this.open();
    this.method(channel, 'channel.open', { reserved1: '' });
    return this.next();
  }
}
