import * as v from 'valibot';
import { EVENT_TYPES, type EventType } from '../events/catalog';
import { isReservedName } from './values';

/** The event types that each format supports, and those sent by default: existing consumers know only `user.created`. */
export const FORMATS = {
  typed: { types: ['user.created', 'user.updated', 'user.deleted'], usual: ['user.created'] },
  envelope: { types: ['user.created', 'user.updated', 'user.deleted'], usual: ['user.created'] },
  flat: { types: ['user.created', 'user.updated', 'user.deleted'], usual: ['user.created'] },
  cloudevents: { types: EVENT_TYPES, usual: EVENT_TYPES },
} as const satisfies Record<string, { types: readonly EventType[]; usual: readonly EventType[] }>;

export type MirrorFormat = keyof typeof FORMATS;

/** Additional copies of events, for existing consumers. */
export interface Mirror {
  format: MirrorFormat;
  /** Empty for the default exchange, which routes a message to the queue named by its routing key. */
  exchange: string;
  exchangeType: 'topic' | 'direct' | 'fanout';
  /** Undefined for the event's type. */
  routingKey: string | undefined;
  /** The queue that we declare and bind; undefined if the consumers declare their own. */
  queue: string | undefined;
  types: readonly EventType[];
}

const MAX_NAME_BYTES = 255;

const name = v.pipe(
  v.string('must be text'),
  v.check((text) => Buffer.byteLength(text) <= MAX_NAME_BYTES, `must have at most ${MAX_NAME_BYTES} bytes`),
  v.regex(/^\P{Cc}*$/u, 'must be one line, without control characters'),
);
const filledName = v.pipe(name, v.minLength(1, 'must not be empty'));

const oneOf = <const T extends string>(values: readonly T[]) =>
  v.picklist(values, `must be one of ${values.join(', ')}`);

const MirrorEntry = v.objectWithRest(
  {
    format: oneOf(Object.keys(FORMATS) as MirrorFormat[]),
    exchange: name,
    exchangeType: v.optional(oneOf(['topic', 'direct', 'fanout'])),
    routingKey: v.optional(filledName),
    queue: v.optional(
      v.pipe(
        filledName,
        v.check(
          (text) => !isReservedName(text),
          'must not begin with amq., which the broker keeps for itself',
        ),
      ),
    ),
    types: v.optional(
      v.pipe(
        v.array(oneOf(EVENT_TYPES), 'must be a list of event types'),
        v.minLength(1, 'must not be empty'),
        v.check((types) => new Set(types).size === types.length, 'has a type twice'),
      ),
    ),
  },
  v.never('is not a known field'),
  'must be an object',
);

const Mirrors = v.array(MirrorEntry, 'must be a list');

/**
 * Parses EVENT_MIRRORS.
 * @throws Error listing every problem with the index of its mirror, from 0, and its field, but without values
 */
export function parseMirrors(text: string): Mirror[] {
  const result = v.safeParse(Mirrors, parseJson(text));
  if (!result.success) {
    throw new Error(
      result.issues.map((issue) => `${v.getDotPath(issue) ?? ''} ${messageOf(issue)}`.trim()).join('; '),
    );
  }
  const problems = result.output.flatMap((entry, index) =>
    contradictions(entry).map((problem) => `${index}.${problem}`),
  );
  if (problems.length > 0) throw new Error(problems.join('; '));
  return result.output.map(({ format, exchange, exchangeType = 'topic', routingKey, queue, types }) => ({
    format,
    exchange,
    exchangeType,
    routingKey: exchange === '' ? queue : routingKey,
    queue,
    types: types ?? FORMATS[format].usual,
  }));
}

/** Contradictions between fields. */
function contradictions(entry: v.InferOutput<typeof MirrorEntry>): string[] {
  const { format, exchange, exchangeType, routingKey, queue, types = [] } = entry;
  const carried: readonly EventType[] = FORMATS[format].types;
  const notCarried = types.filter((type) => !carried.includes(type));
  return [
    ...(notCarried.length > 0 ? [`types: ${format} does not support ${notCarried.join(', ')}`] : []),
    ...(exchange === '' && queue === undefined ? ['queue is missing: the default exchange needs one'] : []),
    ...(exchange === '' && exchangeType !== undefined
      ? ['exchangeType must be omitted for the default exchange']
      : []),
    ...(exchange === '' && routingKey !== undefined && routingKey !== queue
      ? ['routingKey must be the queue for the default exchange']
      : []),
  ];
}

/** Mirrors must not use our own exchange or queues, whose consumers would turn the copies into dead letters. */
export function ownNamesIn(mirrors: readonly Mirror[], ownExchange: string, ownPrefix: string): string[] {
  const isOurs = (name: string) => name === ownExchange || name.startsWith(`${ownPrefix}.`);
  return mirrors.flatMap(({ exchange, queue = '' }, index) => [
    ...(isOurs(exchange) ? [`EVENT_MIRRORS ${index}.exchange is one of Rollcall's own`] : []),
    ...(isOurs(queue) ? [`EVENT_MIRRORS ${index}.queue is one of Rollcall's own`] : []),
  ]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  return issue.input === undefined && issue.type !== 'never' ? 'is missing' : issue.message;
}
