/** Reply codes of AMQP 0-9-1 (section 1.1 "Constants"), by the names that RabbitMQ puts before its error texts. */
const REPLY_CODES = {
  CONTENT_TOO_LARGE: 311,
  CONNECTION_FORCED: 320,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  PRECONDITION_FAILED: 406,
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  COMMAND_INVALID: 503,
  CHANNEL_ERROR: 504,
  UNEXPECTED_FRAME: 505,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
} as const;

export type ReplyName = keyof typeof REPLY_CODES;

/** The "soft errors" of the specification, which close only the channel. All others close the connection. */
const SOFT: ReadonlySet<ReplyName> = new Set<ReplyName>([
  'CONTENT_TOO_LARGE',
  'ACCESS_REFUSED',
  'NOT_FOUND',
  'RESOURCE_LOCKED',
  'PRECONDITION_FAILED',
]);

/** A protocol exception: what is wrong, and whether the channel or the connection is closed for it. */
export class AmqpError extends Error {
  readonly code: number;
  readonly closes: 'channel' | 'connection';
  /** The method that failed, such as `queue.declare`. */
  method: string | undefined;

  constructor(
    name: ReplyName,
    readonly text: string,
    closes?: 'channel' | 'connection',
  ) {
    super(`${name} - ${text}`);
    this.code = REPLY_CODES[name];
    this.closes = closes ?? (SOFT.has(name) ? 'channel' : 'connection');
  }

  /** Sets the method that failed, unless it is set already. */
  during(method: string | undefined): this {
    this.method ??= method;
    return this;
  }
}

/** Turns anything thrown into a protocol exception, so that a bug in the broker ends a connection, not the process. */
export function asAmqpError(error: unknown): AmqpError {
  if (error instanceof AmqpError) return error;
  return new AmqpError('INTERNAL_ERROR', error instanceof Error ? error.message : String(error));
}
