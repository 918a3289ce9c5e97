// Queue rollcall.dead_letters: stores dead letters in a table, where they can be read, edited and redriven.
import { type Context, containerContext } from '../../shared/context/context';
import { takeInDeadLetters } from '../../shared/dead-letters/take-in-dead-letters';
import type { RmqEvent } from '../../shared/lambda/rmq-event';

export const deadLetters = (context: () => Context) => (batch: RmqEvent) =>
  takeInDeadLetters(context(), batch);

export const handler = deadLetters(containerContext);
