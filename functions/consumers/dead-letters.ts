// Queue rollcall.dead_letters: keeps what failed for good in a table, from where it can be read and sent again.
import { type Context, containerContext } from '../../shared/context/context';
import { takeInDeadLetters } from '../../shared/event-operations/take-in-dead-letters';
import type { RmqEvent } from '../../shared/lambda/rmq-event';

export const deadLetters = (context: () => Context) => (batch: RmqEvent) =>
  takeInDeadLetters(context(), batch);

export const handler = deadLetters(containerContext);
