import type { Broker, BrokerConnection } from '../../shared/broker/connection';
import type { Invoke } from '../../shared/lambda/invoke';
import type { Publisher } from '../../shared/outbox/publisher';

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

/** A broker whose connections have the crash point in them. Production code has no flags for this. */
export function brokerWithCrash(broker: Broker, point: CrashPoint, isDue: IsDue): Broker {
  const wrapped = new WeakSet<BrokerConnection>();
  const open = async (timeoutMs: number) => {
    const connection = await broker.open(timeoutMs);
    if (!wrapped.has(connection)) wrapConnection(connection, point, isDue);
    wrapped.add(connection);
    return connection;
  };
  return { ...broker, open };
}

/** For the points before and after publishing. */
export function publisherWithCrash(publisher: Publisher, point: CrashPoint, isDue: IsDue): Publisher {
  return {
    publish: async (pending) => {
      if (point === 'committed' && isDue()) die();
      await publisher.publish(pending);
      if (point === 'marked' && isDue()) die();
    },
  };
}

/** For the point `handled`: the function has done its work, and its answer gets nowhere. */
export function invokeWithCrash(invoke: Invoke, point: CrashPoint, isDue: IsDue): Invoke {
  return async (name, payload) => {
    const outcome = await invoke(name, payload);
    if (point === 'handled' && name.endsWith('-audit') && isDue()) die();
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
