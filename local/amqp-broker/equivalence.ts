import { AmqpError } from './errors';
import type { Field, FieldTable } from './fields';
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

/** The same for the arguments that say how it behaves; others are the client's own notes. */
export function assertSameArguments(
  what: string,
  received: FieldTable,
  current: FieldTable,
  isChecked: (name: string) => boolean,
): void {
  for (const name of new Set([...received.keys(), ...current.keys()])) {
    const now = received.get(name);
    const then = current.get(name);
    if (!isChecked(name) || (now && then && sameValue(now, then))) continue;
    throw inequivalent(what, name, `received ${describe(now)} but current is ${describe(then)}`);
  }
}

function inequivalent(what: string, arg: string, detail: string): AmqpError {
  return new AmqpError('PRECONDITION_FAILED', `inequivalent arg '${arg}' for ${what}: ${detail}`);
}

function describe(field: Field | undefined): string {
  return field ? `the value '${String(field.value)}' of type '${typeName(field)}'` : 'none';
}
