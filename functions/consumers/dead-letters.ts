// Queue rollcall.dead_letters: keeps what failed for good in a table, from where it can be read and sent again.
import { type Context, containerContext } from '../../shared/context';
import type { RmqEvent } from '../../shared/events/rmq-event';
import { takeInDeadLetters } from '../../shared/events/take-in-dead-letters';

export const deadLetters = (context: () => Context) => (batch: RmqEvent) =>
  takeInDeadLetters(context(), batch);

export const handler = deadLetters(containerContext);
