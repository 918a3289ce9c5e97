import { ByteReader } from '../../model/values/bytes';
import { AmqpError } from '../../model/values/errors';
import { createMessage, type Message } from '../../model/values/message';
import type { Args, MethodName } from '../codec/methods';

/** RabbitMQ's default `max_message_size`. */
const MAX_MESSAGE_SIZE = 128 * 1024 * 1024;

export interface Publish {
  readonly args: Args<'basic.publish'>;
  readonly message: Message;
}

/** Joins a basic.publish with its header frame and its body frames (AMQP 0-9-1, section 4.2.6). */
export class ContentAssembler {
  #args: Args<'basic.publish'> | undefined;
  #properties: Buffer | undefined;
  #parts: Buffer[] = [];
  #missing = 0;

  /** The method whose content is being received. */
  get method(): MethodName | undefined {
    return this.#args && 'basic.publish';
  }

  /** Refuses a method that arrives while a content is being received. */
  refuseMethod(): void {
    if (this.#args) throw this.#unexpected();
  }

  begin(args: Args<'basic.publish'>): void {
    this.#args = args;
  }

  header(payload: Buffer): Publish | undefined {
    if (!this.#args || this.#properties) throw this.#unexpected();
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
    // A copy: a slice would keep the whole chunk read from the socket in memory while the message is queued.
    this.#properties = Buffer.from(payload.subarray(reader.offset));
    return this.#finished();
  }

  body(payload: Buffer): Publish | undefined {
    if (!this.#properties) throw this.#unexpected();
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

  #unexpected(): AmqpError {
    if (!this.#args) {
      return new AmqpError('UNEXPECTED_FRAME', 'expected method frame, got non method frame instead');
    }
    const what = this.#properties
      ? 'content body, got non content body frame'
      : 'content header for class 60, got non content header frame';
    return new AmqpError('UNEXPECTED_FRAME', `expected ${what} instead`);
  }
}
