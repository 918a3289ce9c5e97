import type { Field, FieldTable } from './fields';
import { textOf } from './fields';

/** Whether a binding lets a message through: what an exchange type is. */
type Match = (bindingKey: string, args: FieldTable, routingKey: string, headers: FieldTable) => boolean;

/** The exchange types of AMQP 0-9-1, section 3.1.3. */
export const EXCHANGE_TYPES: Readonly<Record<string, Match>> = {
  direct: (bindingKey, _args, routingKey) => bindingKey === routingKey,
  fanout: () => true,
  topic: (bindingKey, _args, routingKey) => topicMatches(bindingKey, routingKey),
  headers: (_bindingKey, args, _routingKey, headers) => headersMatch(args, headers),
};

/**
 * Matches a topic pattern: `*` is one word, `#` any number of them. Only the last `#` needs to be gone back to,
 * which keeps a hostile pattern from costing exponential time.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  // An empty key has no words at all.
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

/** Headers exchange: `x-match` says whether all or any must match, and whether `x-` headers count. */
function headersMatch(args: FieldTable, headers: FieldTable): boolean {
  const mode = textOf(args.get('x-match')) ?? 'all';
  const withX = mode.endsWith('-with-x');
  const wanted = [...args].filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')));
  const matches = ([name, field]: [string, Field]) => sameOrPresent(field, headers.get(name));
  return mode.startsWith('any') ? wanted.some(matches) : wanted.every(matches);
}

/** A void argument asks for the header's presence only. */
function sameOrPresent(wanted: Field, actual: Field | undefined): boolean {
  if (!actual) return false;
  return wanted.tag === 'V' || sameValue(wanted, actual);
}

/** Whether two fields hold the same value; integers of different widths may. */
export function sameValue(left: Field, right: Field): boolean {
  return typeClass(left.tag) === typeClass(right.tag) && plain(left) === plain(right);
}

function typeClass(tag: string): string {
  if ('bBsuIil'.includes(tag)) return 'integer';
  return tag === 'f' ? 'd' : tag;
}

function plain({ value }: Field): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return Number(part);
    return part instanceof Map ? [...part].sort() : part;
  });
}
