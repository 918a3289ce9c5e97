import type { ExchangeDefinition } from './exchange';
import type { Queue } from './queue';
import { comparedArguments } from './queue-arguments';
import type { QueueDefinition } from './queue-settings';
import { AmqpError } from './values/errors';
import { type Field, type FieldTable, longstr, typeName } from './values/fields';

/** Refuses to declare an existing exchange with other properties; `what` names it: "exchange 'e' in vhost '/'". */
export function assertSameExchange(
  what: string,
  received: ExchangeDefinition,
  current: ExchangeDefinition,
): void {
  assertSame(what, 'type', received.type, current.type);
  assertSame(what, 'durable', received.durable, current.durable);
  assertSame(what, 'auto_delete', received.autoDelete, current.autoDelete);
  assertSame(what, 'internal', received.internal, current.internal);
  assertSameArguments(what, received.args, current.args, ['alternate-exchange']);
}

/** Refuses to declare an existing queue with other properties. */
export function assertSameQueue(
  what: string,
  received: QueueDefinition,
  { definition: current, settings }: Queue,
): void {
  assertSame(what, 'durable', received.durable, current.durable);
  assertSame(what, 'auto_delete', received.autoDelete, current.autoDelete);
  assertSameArguments(what, received.args, current.args, comparedArguments(settings));
}

function assertSame(what: string, arg: string, received: string | boolean, current: string | boolean): void {
  if (received === current) return;
  throw inequivalent(what, arg, `received '${received}' but current is '${current}'`);
}

const DEFAULTS: FieldTable = new Map([['x-queue-type', longstr('classic')]]);

function assertSameArguments(
  what: string,
  received: FieldTable,
  current: FieldTable,
  names: readonly string[],
): void {
  for (const name of names) {
    const wanted = received.get(name);
    const existing = current.get(name);
    if (wanted && existing && !sameValue(wanted, existing)) {
      throw inequivalent(
        what,
        name,
        `received '${String(wanted.value)}' but current is '${String(existing.value)}'`,
      );
    }
    if (Boolean(wanted) === Boolean(existing)) continue;
    const implied = DEFAULTS.get(name);
    const given = wanted ?? existing;
    if (implied && given && sameValue(implied, given)) continue;
    throw inequivalent(what, name, `received ${describe(wanted)} but current is ${describe(existing)}`);
  }
}

function inequivalent(what: string, arg: string, detail: string): AmqpError {
  return new AmqpError('PRECONDITION_FAILED', `inequivalent arg '${arg}' for ${what}: ${detail}`);
}

function describe(field: Field | undefined): string {
  return field ? `the value '${String(field.value)}' of type '${typeName(field)}'` : 'none';
}

/** Compares integers by value, whatever their widths. */
function sameValue(left: Field, right: Field): boolean {
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
