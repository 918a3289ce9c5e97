import type { BrokerConnection } from '../../shared/broker/connection';
import type { PublishingContext } from '../../shared/events/publisher';
import type { Invoke } from '../../shared/lambda/invoke';

/**
 * Where a process is killed, with `kill -9`: between one step of an event's way and the next.
 *
 * | point            | in     | after                                         | and before                      |
 * | ---------------- | ------ | --------------------------------------------- | ------------------------------- |
 * | `committed`      | api    | the user and the event were committed         | the event is published          |
 * | `sent`           | both   | the event was written to the socket           | its confirm is there            |
 * | `confirmed`      | both   | the broker has confirmed it                   | it is marked as published       |
 * | `marked`         | api    | it is marked as published                     | the client gets the answer      |
 * | `handled`        | poller | the handler's transaction was committed       | the poller knows                |
 * | `retried`        | poller | the copy in the retry queue is confirmed      | the original is acknowledged    |
 * | `acknowledging`  | poller | everything                                    | the acknowledgement is sent     |
 */
export type CrashPoint =
  | 'committed'
  | 'sent'
  | 'confirmed'
  | 'marked'
  | 'handled'
  | 'retried'
  | 'acknowledging';

/** Says of each passing of the point whether it is the last thing that this process does. */
export type IsDue = () => boolean;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The context with the crash point in it. Production code has no flags for this: it is all in what it is handed. */
export function withCrashPoint<C extends PublishingContext>(ctx: C, point: CrashPoint, isDue: IsDue): C {
  const { publisher, broker } = ctx;
  switch (point) {
    case 'committed':
    case 'marked':
      return {
        ...ctx,
        publisher: {
          publish: async (pending) => {
            if (point === 'committed' && isDue()) die();
            await publisher.publish(pending);
            if (point === 'marked' && isDue()) die();
          },
        },
      };
    case 'sent':
    case 'confirmed':
    case 'retried':
    case 'acknowledging': {
      const wrapped = new WeakSet<BrokerConnection>();
      const open = async (timeoutMs: number) => {
        const connection = await broker.open(timeoutMs);
        if (!wrapped.has(connection)) wrapConnection(connection, point, isDue);
        wrapped.add(connection);
        return connection;
      };
      return { ...ctx, broker: { ...broker, open } };
    }
    case 'handled':
      return ctx;
  }
}

/** For the point `handled`: the function has done its work, and its answer gets nowhere. */
export function withCrashAfter(invoke: Invoke, isDue: IsDue): Invoke {
  return async (name, payload) => {
    const outcome = await invoke(name, payload);
    if (name.endsWith('audit') && isDue()) die();
    return outcome;
  };
}

function wrapConnection(connection: BrokerConnection, point: CrashPoint, isDue: IsDue): void {
  const { channel, model } = connection;
  const publish = channel.publish.bind(channel);
  channel.publish = (exchange, routingKey, content, options, callback) => {
    const isRetry = exchange.includes('.retry.');
    const result = publish(exchange, routingKey, content, options, (error, ok) => {
      if (point === (isRetry ? 'retried' : 'confirmed') && isDue()) die();
      callback?.(error, ok);
    });
    // On its way out of this process, or not: nobody will ever know.
    if (point === 'sent' && isDue()) setImmediate(die);
    return result;
  };
  if (point !== 'acknowledging') return;
  const createChannel = model.createChannel.bind(model);
  model.createChannel = async () => {
    const consuming = await createChannel();
    const ack = consuming.ack.bind(consuming);
    consuming.ack = (message, allUpTo) => {
      if (isDue()) die();
      ack(message, allUpTo);
    };
    return consuming;
  };
}
