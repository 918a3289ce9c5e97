import { AmqpError } from './values/errors';
import { tableBytes } from './values/field-codec';
import { array, type Field, type FieldTable, type FieldValue, textOf, typeName } from './values/fields';

/** Whether a binding matches a message, which is what distinguishes the exchange types. */
type Match = (bindingKey: string, args: FieldTable, routingKey: string, headers: FieldTable) => boolean;

/** The exchange types of AMQP 0-9-1, section 3.1.3. */
export const EXCHANGE_TYPES: Readonly<Record<string, Match>> = {
  direct: (bindingKey, _args, routingKey) => bindingKey === routingKey,
  fanout: () => true,
  topic: (bindingKey, _args, routingKey) => topicMatches(bindingKey, routingKey),
  headers: (_bindingKey, args, _routingKey, headers) => headersMatch(args, headers),
};

/**
 * Matches a topic pattern: `*` is one word, `#` any number of them. Backtracks to the last `#` only, which suffices
 * and keeps a hostile pattern from taking exponential time.
 */
function topicMatches(pattern: string, routingKey: string): boolean {
  // An empty key has no words, rather than one empty word.
  const words = routingKey === '' ? [] : routingKey.split('.');
  const parts = pattern === '' ? [] : pattern.split('.');
  let word = 0;
  let part = 0;
  let hash = -1;
  let resumeAt = 0;
  while (word < words.length) {
    if (parts[part] === '#') {
      hash = part++;
      resumeAt = word;
    } else if (part < parts.length && (parts[part] === '*' || parts[part] === words[word])) {
      part += 1;
      word += 1;
    } else if (hash >= 0) {
      part = hash + 1;
      word = ++resumeAt;
    } else return false;
  }
  while (parts[part] === '#') part += 1;
  return part === parts.length;
}

/** `x-match` says whether all or any of the headers must match, and whether those that start with `x-` count. */
function headersMatch(args: FieldTable, headers: FieldTable): boolean {
  const mode = textOf(args.get('x-match')) ?? 'all';
  const withX = mode.endsWith('-with-x');
  const wanted = [...args].filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')));
  const matches = ([name, field]: [string, Field]) => sameOrPresent(field, headers.get(name));
  return mode.startsWith('any') ? wanted.some(matches) : wanted.every(matches);
}

/** Refuses a binding of a headers exchange whose `x-match` is none of the four values. */
export function checkMatch(args: FieldTable): void {
  const match = args.get('x-match');
  if (!match) return;
  const value = textOf(match);
  if (value === undefined) {
    const reason = `Invalid x-match field type ${typeName(match)} (value ${String(match.value)}); expected longstr`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
  if (['all', 'any', 'all-with-x', 'any-with-x'].includes(value)) return;
  const expected = 'expected all, any, all-with-x, or any-with-x';
  throw new AmqpError('PRECONDITION_FAILED', `Invalid x-match field value <<"${value}">>; ${expected}`);
}

/** A void argument matches if the header is present. */
function sameOrPresent(wanted: Field, actual: Field | undefined): boolean {
  if (!actual) return false;
  return wanted.tag === 'V' || sameValue(wanted.value, actual.value);
}

/**
 * Compares as RabbitMQ does: by value and not by type, so that 1 equals 1.0 and a text equals the same bytes. Inside
 * tables and arrays, types and order count.
 */
function sameValue(left: FieldValue, right: FieldValue): boolean {
  if (isNumeric(left) && isNumeric(right)) return !(left < right) && !(left > right);
  if (isBytes(left) && isBytes(right)) return Buffer.from(left).equals(Buffer.from(right));
  if (left instanceof Map && right instanceof Map) return tableBytes(left).equals(tableBytes(right));
  if (Array.isArray(left) && Array.isArray(right)) {
    return tableBytes(new Map([['', array(left)]])).equals(tableBytes(new Map([['', array(right)]])));
  }
  return left === right;
}

function isNumeric(value: FieldValue): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value));
}

function isBytes(value: FieldValue): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}
