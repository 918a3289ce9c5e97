import type { DeathReason } from './queue';
import {
  array,
  type Field,
  type FieldTable,
  integerOf,
  long,
  longstr,
  table,
  textOf,
  timestamp,
} from './values/fields';
import { createMessage, type Message } from './values/message';
import { replaceHeaders } from './values/properties';

/** The message as it goes to the dead-letter exchange: its death recorded, its expiration taken off. */
export function deadLetter(
  message: Message,
  queue: string,
  reason: DeathReason,
  exchange: string,
  routingKey: string | undefined,
): Message {
  const headers = new Map(message.headers);
  headers.set('x-death', recordDeath(message, queue, reason));
  if (!headers.has('x-first-death-reason')) {
    headers.set('x-first-death-exchange', longstr(message.exchange));
    headers.set('x-first-death-queue', longstr(queue));
    headers.set('x-first-death-reason', longstr(reason));
  }
  // Kept, the expiration would make the message expire again in the queue it is dead-lettered to.
  const properties = replaceHeaders(message.properties, headers, false);
  return createMessage(exchange, routingKey ?? message.routingKey, properties, message.content);
}

/** One entry per queue and reason, with a count; the latest death comes first. */
function recordDeath(message: Message, queue: string, reason: DeathReason): Field {
  const deaths = deathsOf(message.headers);
  const same = (death: FieldTable) =>
    textOf(death.get('queue')) === queue && textOf(death.get('reason')) === reason;
  const earlier = deaths.find(same);
  const latest: Field = earlier
    ? { tag: 'F', value: new Map(earlier).set('count', long(countAfter(earlier))) }
    : table({
        count: long(1),
        reason: longstr(reason),
        queue: longstr(queue),
        time: timestamp(Math.floor(Date.now() / 1000)),
        exchange: longstr(message.exchange),
        'routing-keys': array([longstr(message.routingKey)]),
        ...(message.expiration === undefined ? {} : { 'original-expiration': longstr(message.expiration) }),
      });
  const rest = deaths.filter((death) => death !== earlier).map((value): Field => ({ tag: 'F', value }));
  return array([latest, ...rest]);
}

/** One more; a client may have sent any number, which must not grow out of its 64 bits. */
function countAfter(death: FieldTable): number {
  return Math.min((integerOf(death.get('count')) ?? 0) + 1, Number.MAX_SAFE_INTEGER);
}

/**
 * Whether sending the message to this queue would close a cycle in which nobody rejected it: RabbitMQ drops
 * such a message, since it would go round for ever.
 */
export function isCycle(message: Message, queue: string): boolean {
  const deaths = deathsOf(message.headers);
  const last = deaths.findIndex((death) => textOf(death.get('queue')) === queue);
  return last >= 0 && deaths.slice(0, last + 1).every((death) => textOf(death.get('reason')) !== 'rejected');
}

function deathsOf(headers: FieldTable): FieldTable[] {
  const deaths = headers.get('x-death')?.value;
  if (!Array.isArray(deaths)) return [];
  return deaths.flatMap((death: Field) => (death.value instanceof Map ? [death.value] : []));
}
