import type { Exchange } from './exchange';
import { Queue } from './queue';
import type { Message } from './values/message';

/** The queues a message goes to, each once, over exchange bindings and alternate exchanges. */
export function routeMessage(
  message: Message,
  exchanges: ReadonlyMap<string, Exchange>,
  queues: ReadonlyMap<string, Queue>,
): Set<Queue> {
  const reached = new Set<Queue>();
  const start = exchanges.get(message.exchange);
  const passed = new Set(start ? [start] : []);
  // A set grows while it is walked and takes each exchange once, so cycles end.
  for (const exchange of passed) {
    // Every queue is bound to the default exchange by its name (AMQP 0-9-1, section 3.1.3.1).
    const named = exchange.name === '' ? queues.get(message.routingKey) : undefined;
    const destinations = named ? [named] : exchange.destinations(message);
    for (const destination of destinations) {
      if (destination instanceof Queue) reached.add(destination);
      else passed.add(destination);
    }
    if (destinations.length > 0 || exchange.alternate === undefined) continue;
    const alternate = exchanges.get(exchange.alternate);
    if (alternate) passed.add(alternate);
  }
  return reached;
}
