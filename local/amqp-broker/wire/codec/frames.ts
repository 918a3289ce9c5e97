import { AmqpError } from '../../model/values/errors';

/** Frame types (AMQP 0-9-1, section 4.2.3) and the octet that ends each frame. */
export const FRAME = { METHOD: 1, HEADER: 2, BODY: 3, HEARTBEAT: 8 } as const;
const FRAME_TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));
const FRAME_END = 0xce;
const OVERHEAD = 8;

export const PROTOCOL_HEADER = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');
export const HEARTBEAT_FRAME = encodeFrame(FRAME.HEARTBEAT, 0, Buffer.alloc(0));

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Cuts the byte stream into frames. Chunks are joined only once a frame is complete. */
export class FrameReader {
  /** Largest frame accepted, including its eight bytes of framing. */
  maxSize: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = 7;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Exactly `length` bytes, or undefined until they have arrived. */
  take(length: number): Buffer | undefined {
    if (this.#size < length) return undefined;
    const bytes = this.#joined();
    this.#keep(bytes.subarray(length));
    return bytes.subarray(0, length);
  }

  /** The next frame, or undefined until it is complete. */
  next(): Frame | undefined {
    if (this.#size < this.#needed) return undefined;
    const bytes = this.#joined();
    const payloadSize = bytes.readUInt32BE(3);
    const type = bytes.readUInt8(0);
    const total = payloadSize + OVERHEAD;
    const empty = type !== FRAME.HEARTBEAT || payloadSize === 0;
    if (!FRAME_TYPES.has(type) || !empty) throw new AmqpError('FRAME_ERROR', `type ${type}: unknown_frame`);
    if (total > this.maxSize) {
      throw new AmqpError(
        'FRAME_ERROR',
        `type ${type}: {frame_too_large,${payloadSize},${this.maxSize - OVERHEAD}}`,
      );
    }
    if (bytes.length < total) {
      this.#needed = total;
      return undefined;
    }
    const end = bytes[total - 1];
    if (end !== FRAME_END)
      throw new AmqpError('FRAME_ERROR', `type ${type}: {invalid_frame_end_marker,${end}}`);
    this.#keep(bytes.subarray(total));
    this.#needed = 7;
    return { type, channel: bytes.readUInt16BE(1), payload: bytes.subarray(7, total - 1) };
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first && this.#chunks.length === 1) return first;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
  }
}

/** Encodes a frame. */
export function encodeFrame(type: number, channel: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(payload.length + OVERHEAD);
  frame.writeUInt8(type, 0);
  frame.writeUInt16BE(channel, 1);
  frame.writeUInt32BE(payload.length, 3);
  payload.copy(frame, 7);
  frame.writeUInt8(FRAME_END, payload.length + 7);
  return frame;
}

/** Encodes a content as a header frame and body frames of at most the negotiated size (section 4.2.6). */
export function encodeContent(
  channel: number,
  properties: Buffer,
  content: Buffer,
  maxSize: number,
): Buffer[] {
  const header = Buffer.allocUnsafe(12 + properties.length);
  header.writeUInt16BE(60, 0);
  header.writeUInt16BE(0, 2);
  header.writeBigUInt64BE(BigInt(content.length), 4);
  properties.copy(header, 12);
  const frames = [encodeFrame(FRAME.HEADER, channel, header)];
  const piece = maxSize - OVERHEAD;
  for (let at = 0; at < content.length; at += piece) {
    frames.push(encodeFrame(FRAME.BODY, channel, content.subarray(at, at + piece)));
  }
  return frames;
}
