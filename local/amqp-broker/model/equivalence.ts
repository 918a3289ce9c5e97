import { AmqpError } from './values/errors';
import { type Field, type FieldTable, longstr, typeName } from './values/fields';

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

const DEFAULTS: FieldTable = new Map([['x-queue-type', longstr('classic')]]);

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

/** Whether two fields hold the same value; integers of different widths may. */
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
