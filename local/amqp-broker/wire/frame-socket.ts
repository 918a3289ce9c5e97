import type { Socket } from 'node:net';
import type { Message } from '../model/values/message';
import { encodeFrame, FRAME, type Frame, FrameReader, HEARTBEAT_FRAME } from './codec/frames';
import { encodeMethod } from './codec/method-codec';
import type { Args, MethodName } from './codec/methods';
import { Heartbeat } from './heartbeat';
import { Output } from './output';

/** Largest frame accepted before tuning. */
const UNTUNED_FRAME_MAX = 8192;

interface SocketEvents {
  /** Bytes have arrived: `nextFrame` may return a frame now. */
  onBytes(): void;
  /** The client has read output that was in the way of deliveries or replies. */
  onRoom(): void;
  onError(error: Error): void;
  onClose(): void;
}

/** A client's socket: bytes in and frames out of them, frames in and bytes out, with heartbeats and back-pressure. */
export class FrameSocket {
  readonly #reader = new FrameReader(UNTUNED_FRAME_MAX);
  readonly #output: Output;
  readonly #heartbeat: Heartbeat;
  #blocked = false;
  #ended = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly events: SocketEvents,
  ) {
    this.#output = new Output(socket, UNTUNED_FRAME_MAX, () => {
      this.#resume();
      events.onRoom();
    });
    this.#heartbeat = new Heartbeat(
      () => this.#beat(),
      () => socket.destroy(new Error('the client missed two heartbeats')),
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => events.onError(error));
    socket.on('close', () => {
      this.clearDeadline();
      this.#heartbeat.stop();
      events.onClose();
    });
  }

  /** Whether so much output is unsent that no more messages should be delivered. */
  get isCongested(): boolean {
    return this.#output.isCongested;
  }

  /** Applies what the client chose in connection.tune-ok. */
  tune({ frameMax, heartbeat }: Args<'connection.tune-ok'>): void {
    this.#reader.maxSize = frameMax;
    this.#output.frameMax = frameMax;
    this.#heartbeat.start(heartbeat);
  }

  /** Exactly `length` bytes, or undefined until they have arrived. */
  takeBytes(length: number): Buffer | undefined {
    return this.#reader.take(length);
  }

  /** The next frame; undefined until it is complete, and while reading is paused. */
  nextFrame(): Frame | undefined {
    return this.#mayRead ? this.#reader.next() : undefined;
  }

  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void {
    this.#output.method(channel, name, args, message);
  }

  sendBytes(bytes: Buffer): void {
    this.#output.bytes(bytes);
  }

  /** Sends a method of the connection ahead of the output that waits for `flush`. */
  sendNow<M extends MethodName>(name: M, args: Args<M>): void {
    this.#output.urgent(encodeFrame(FRAME.METHOD, 0, encodeMethod(name, args)));
  }

  flush(): void {
    this.#output.flush();
    if (this.#ended) this.socket.end();
  }

  /** Reads nothing more until `unblock`. */
  block(): void {
    this.#blocked = true;
    this.socket.pause();
  }

  unblock(): void {
    this.#blocked = false;
    this.#resume();
  }

  /** Ignores further input; the next `flush` closes the socket. */
  end(): void {
    this.#ended = true;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Destroys the socket after this time, unless the deadline is cleared or replaced. */
  setDeadline(ms: number): void {
    this.clearDeadline();
    this.#deadline = setTimeout(() => this.socket.destroy(), ms);
  }

  clearDeadline(): void {
    clearTimeout(this.#deadline);
  }

  get #mayRead(): boolean {
    return !this.#blocked && !this.#output.isFull;
  }

  #resume(): void {
    if (this.#mayRead) this.socket.resume();
  }

  #onData(chunk: Buffer): void {
    this.#heartbeat.received = true;
    if (this.#ended) return;
    this.#reader.push(chunk);
    this.events.onBytes();
  }

  #beat(): void {
    // The heartbeats of a blocked client are not read.
    if (this.#blocked) this.#heartbeat.received = true;
    if (!this.#output.hasWritten()) this.#output.urgent(HEARTBEAT_FRAME);
  }
}
