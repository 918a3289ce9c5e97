import { ByteReader } from './bytes';
import { AmqpError } from './errors';
import { createMessage, type Message } from './message';
import type { Args } from './methods';

/** RabbitMQ's default `max_message_size`. */
const MAX_MESSAGE_SIZE = 128 * 1024 * 1024;

export interface Publish {
  readonly args: Args<'basic.publish'>;
  readonly message: Message;
}

/** Puts a basic.publish, its header frame and its body frames together (AMQP 0-9-1, section 4.2.6). */
export class ContentAssembler {
  #args: Args<'basic.publish'> | undefined;
  #properties: Buffer | undefined;
  #parts: Buffer[] = [];
  #missing = 0;

  /** What has to come next, if a content is under way. */
  get expects(): 'header' | 'body' | undefined {
    if (!this.#args) return undefined;
    return this.#properties ? 'body' : 'header';
  }

  begin(args: Args<'basic.publish'>): void {
    this.#args = args;
  }

  header(payload: Buffer): Publish | undefined {
    if (this.expects !== 'header')
      throw new AmqpError('UNEXPECTED_FRAME', unexpected(this.expects, 'header'));
    const reader = new ByteReader(payload);
    const classId = reader.short();
    if (classId !== 60) {
      throw new AmqpError(
        'UNEXPECTED_FRAME',
        `expected content header for class 60, got one for class ${classId} instead`,
      );
    }
    reader.short();
    this.#missing = reader.longlong();
    if (this.#missing > MAX_MESSAGE_SIZE) {
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `message size ${this.#missing} is larger than configured max size ${MAX_MESSAGE_SIZE}`,
      );
    }
    // Copied: a slice would keep the whole chunk read from the socket alive while the message is queued.
    this.#properties = Buffer.from(payload.subarray(reader.offset));
    return this.#finished();
  }

  body(payload: Buffer): Publish | undefined {
    if (this.expects !== 'body') throw new AmqpError('UNEXPECTED_FRAME', unexpected(this.expects, 'body'));
    if (payload.length > this.#missing) {
      throw new AmqpError('FRAME_ERROR', `content body is ${payload.length - this.#missing} bytes too long`);
    }
    this.#missing -= payload.length;
    this.#parts.push(Buffer.from(payload));
    return this.#finished();
  }

  #finished(): Publish | undefined {
    const args = this.#args;
    const [first] = this.#parts;
    if (this.#missing > 0 || !args || !this.#properties) return undefined;
    const content = first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    const properties = this.#properties;
    this.#args = undefined;
    this.#properties = undefined;
    this.#parts = [];
    return { args, message: createMessage(args.exchange, args.routingKey, properties, content) };
  }
}

function unexpected(expected: 'header' | 'body' | undefined, got: string): string {
  if (!expected) return 'expected method frame, got non method frame instead';
  return `expected content ${expected}${expected === 'header' ? ' for class 60' : ''}, got content ${got} instead`;
}
