import type { Socket } from 'node:net';
import type { Message } from '../model/values/message';
import { encodeContent, encodeFrame, FRAME } from './codec/frames';
import { encodeMethod } from './codec/method-codec';
import type { Args, MethodName } from './codec/methods';

/** Above this much unsent output no more messages are delivered to the connection … */
const DELIVERY_WATERMARK = 1024 * 1024;
/** … and above this much nothing it sends is served either, so that replies cannot pile up. */
const REPLY_WATERMARK = 16 * 1024 * 1024;

/** What a connection has to say, gathered until the end of the turn and then written at once. */
export class Output {
  /** Negotiated size of the largest frame. */
  frameMax: number;
  #frames: Buffer[] = [];
  #bytes = 0;
  #wrote = false;

  /** `onRoom` is called once what held up deliveries or replies has been written. */
  constructor(
    private readonly socket: Socket,
    frameMax: number,
    private readonly onRoom: () => void,
  ) {
    this.frameMax = frameMax;
  }

  get isCongested(): boolean {
    return this.#unsent > DELIVERY_WATERMARK;
  }

  get isFull(): boolean {
    return this.#unsent > REPLY_WATERMARK;
  }

  get #unsent(): number {
    return this.#bytes + this.socket.writableLength;
  }

  method<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void {
    this.bytes(encodeFrame(FRAME.METHOD, channel, encodeMethod(name, args)));
    if (!message) return;
    const { properties, content } = message;
    for (const frame of encodeContent(channel, properties, content, this.frameMax)) this.bytes(frame);
  }

  bytes(bytes: Buffer): void {
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Writes a frame ahead of what is gathered, which may have to wait for the journal. */
  urgent(frame: Buffer): void {
    this.#wrote = true;
    if (this.socket.writable) this.socket.write(frame);
  }

  flush(): void {
    const bytes = Buffer.concat(this.#frames);
    this.#frames = [];
    this.#bytes = 0;
    if (bytes.length === 0 || !this.socket.writable) return;
    this.#wrote = true;
    // The callback and not 'drain', which does not come after a write that the system took at once.
    if (this.#unsent + bytes.length > DELIVERY_WATERMARK) this.socket.write(bytes, this.onRoom);
    else this.socket.write(bytes);
    if (this.isFull) this.socket.pause();
  }

  /** Whether anything was written since the last question (heartbeats). */
  hasWritten(): boolean {
    const wrote = this.#wrote;
    this.#wrote = false;
    return wrote;
  }
}
