import { ByteReader, ByteWriter } from './bytes';
import { AmqpError, asAmqpError } from './errors';
import { readTable, tableBytes } from './field-codec';
import { type FieldTable, NO_FIELDS } from './fields';

/**
 * The properties of basic content (AMQP 0-9-1, section 1.8) in wire order: the highest flag bit stands for the
 * first. `headers` is a table, those with a fixed size are numbers, and all others are short strings.
 */
const LAYOUT = [
  'content-type',
  'content-encoding',
  'headers',
  'delivery-mode',
  'priority',
  'correlation-id',
  'reply-to',
  'expiration',
  'message-id',
  'timestamp',
  'type',
  'user-id',
  'app-id',
  'cluster-id',
] as const;
const FIXED_SIZE: Readonly<Record<string, number>> = { 'delivery-mode': 1, priority: 1, timestamp: 8 };

type PropertyName = (typeof LAYOUT)[number];
type RawProperties = Map<PropertyName, Buffer>;

/** The properties that the broker acts on. It passes the others on unread. */
export interface Properties {
  readonly headers: FieldTable;
  readonly persistent: boolean;
  readonly expiration: string | undefined;
  readonly replyTo: string | undefined;
  readonly userId: string | undefined;
}

/** Reads the property list of a content header. Throws SYNTAX_ERROR if it is malformed, before it can be queued. */
export function readProperties(bytes: Buffer): Properties {
  try {
    const raw = split(bytes);
    const headers = raw.get('headers');
    return {
      headers: headers ? readTable(new ByteReader(headers)) : NO_FIELDS,
      persistent: raw.get('delivery-mode')?.[0] === 2,
      expiration: raw.get('expiration')?.toString('utf8', 1),
      replyTo: raw.get('reply-to')?.toString('utf8', 1),
      userId: raw.get('user-id')?.toString('utf8', 1),
    };
  } catch (error) {
    throw new AmqpError('SYNTAX_ERROR', `content properties: ${asAmqpError(error).text}`);
  }
}

/** The property list of a dead letter: with these headers, and without the expiration. */
export function deadLetterProperties(bytes: Buffer, headers: FieldTable): Buffer {
  const raw = split(bytes);
  raw.set('headers', tableBytes(headers));
  // With it, the message would expire again in the queue that it is dead-lettered to.
  raw.delete('expiration');
  return join(raw);
}

/** Replaces the reply-to of a property list. */
export function replaceReplyTo(bytes: Buffer, replyTo: string): Buffer {
  const raw = split(bytes);
  const writer = new ByteWriter();
  writer.shortstr(replyTo);
  raw.set('reply-to', writer.finish());
  return join(raw);
}

function join(raw: RawProperties): Buffer {
  const writer = new ByteWriter(512);
  writer.short(
    LAYOUT.reduce((flags, name, index) => (raw.has(name) ? flags | (1 << (15 - index)) : flags), 0),
  );
  for (const name of LAYOUT) {
    const value = raw.get(name);
    if (value) writer.raw(value);
  }
  return writer.finish();
}

function split(bytes: Buffer): RawProperties {
  const reader = new ByteReader(bytes);
  const flags = reader.short();
  if (flags & 0b11) throw new AmqpError('SYNTAX_ERROR', 'unknown content property flags');
  const raw: RawProperties = new Map();
  for (const [index, name] of LAYOUT.entries()) {
    if ((flags & (1 << (15 - index))) === 0) continue;
    const start = reader.offset;
    const fixed = FIXED_SIZE[name];
    if (fixed !== undefined) reader.take(fixed);
    else if (name === 'headers') reader.longstr();
    else reader.slice(reader.octet());
    raw.set(name, bytes.subarray(start, reader.offset));
  }
  if (!reader.done) throw new AmqpError('SYNTAX_ERROR', 'content header longer than its properties');
  return raw;
}
