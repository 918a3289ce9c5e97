import type { ConsumeMessage } from 'amqplib';
import type { Broker } from '../broker/connection';
import type { Config } from '../config';
import type { Db } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import type { Invoke } from '../lambda/invoke';
import type { Log } from '../log';

export interface PollContext {
  config: Config;
  db: Db;
  broker: Broker;
  invoke: Invoke;
  log: Log;
}

export interface EventMessage {
  message: ConsumeMessage;
  event: UserEvent;
}

/** The result of a batch. */
export interface BatchResult {
  /** Publishes copies of unhandled messages. When it resolves, everything but `rest` may be acknowledged. */
  sendOn: () => Promise<void>;
  /** Untried messages, which may be tried again at any time. */
  rest: ConsumeMessage[];
  /** Why the function is unavailable. */
  unavailable?: string;
}
