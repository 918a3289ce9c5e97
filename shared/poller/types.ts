import type { ConsumeMessage } from 'amqplib';
import type { Broker } from '../broker/connection';
import type { Config } from '../config';
import type { Db } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import type { Invoke } from '../lambda/invoke';
import type { Log } from '../log';

export interface PollContext {
  config: Config;
  /** Knows which events are on their way around, so that later ones of the same user wait. */
  db: Db;
  broker: Broker;
  invoke: Invoke;
  log: Log;
}

export interface EventMessage {
  message: ConsumeMessage;
  event: UserEvent;
}

/** What has become of a batch. */
export interface BatchResult {
  /** Sends on what was not handled. When it has resolved, everything but the rest may be acknowledged. */
  sendOn: () => Promise<void>;
  /** Nothing has become of these, and they may be tried again at any time. */
  rest: ConsumeMessage[];
  /** Why the function could not be called. */
  unavailable?: string;
}
