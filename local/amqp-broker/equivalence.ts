import { AmqpError } from './errors';
import { type Field, type FieldTable, longstr } from './fields';
import { typeName } from './queue-arguments';
import { sameValue } from './routing';

/** Refuses to declare something again with another property; `what` reads "queue 'q' in vhost '/'". */
export function assertSame(
  what: string,
  arg: string,
  received: string | boolean,
  current: string | boolean,
): void {
  if (received === current) return;
  throw inequivalent(what, arg, `received '${received}' but current is '${current}'`);
}

/** The arguments that must be the same when a queue is declared again; others are the client's own notes. */
const QUEUE_ARGUMENTS = [
  'x-expires',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-max-length',
  'x-max-length-bytes',
  'x-overflow',
  'x-single-active-consumer',
  'x-queue-type',
  'x-delivery-limit',
];
const DEFAULTS: FieldTable = new Map([['x-queue-type', longstr('classic')]]);

/** The same for the arguments of a queue. */
export function assertSameQueueArguments(what: string, received: FieldTable, current: FieldTable): void {
  assertSameArguments(what, received, current, QUEUE_ARGUMENTS);
}

/** The same for the arguments that are named. */
export function assertSameArguments(
  what: string,
  received: FieldTable,
  current: FieldTable,
  names: readonly string[],
): void {
  for (const name of names) {
    const now = received.get(name);
    const then = current.get(name);
    if (now && then && !sameValue(now, then)) {
      throw inequivalent(
        what,
        name,
        `received '${String(now.value)}' but current is '${String(then.value)}'`,
      );
    }
    if (Boolean(now) === Boolean(then)) continue;
    const implied = DEFAULTS.get(name);
    const given = now ?? then;
    if (implied && given && sameValue(implied, given)) continue;
    throw inequivalent(what, name, `received ${describe(now)} but current is ${describe(then)}`);
  }
}

function inequivalent(what: string, arg: string, detail: string): AmqpError {
  return new AmqpError('PRECONDITION_FAILED', `inequivalent arg '${arg}' for ${what}: ${detail}`);
}

function describe(field: Field | undefined): string {
  return field ? `the value '${String(field.value)}' of type '${typeName(field)}'` : 'none';
}
