import type { Socket } from 'node:net';
import type { Message } from '../model/values/message';
import { encodeContent, encodeFrame, FRAME } from './codec/frames';
import { encodeMethod } from './codec/method-codec';
import type { Args, MethodName } from './codec/methods';

/** With more unsent output than this, no more messages are delivered to the connection. */
const DELIVERY_WATERMARK = 1024 * 1024;
/** With more than this, the connection's frames are not served either, so that replies cannot pile up. */
const REPLY_WATERMARK = 16 * 1024 * 1024;

/** The output of a connection: gathered until the end of the turn, then written at once. */
export class Output {
  /** Largest frame that was negotiated. */
  frameMax: number;
  #frames: Buffer[] = [];
  #bytes = 0;
  #wrote = false;

  /** `onRoom` is called once output above a watermark has been written. */
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

  /** Writes a frame ahead of the gathered ones, which may have to wait for the journal. */
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
    // Not 'drain': it is not emitted if the system took all of the write at once.
    if (this.#unsent + bytes.length > DELIVERY_WATERMARK) this.socket.write(bytes, this.onRoom);
    else this.socket.write(bytes);
    if (this.isFull) this.socket.pause();
  }

  /** Whether anything was written since the last call; if so, no heartbeat is due. */
  hasWritten(): boolean {
    const wrote = this.#wrote;
    this.#wrote = false;
    return wrote;
  }
}
