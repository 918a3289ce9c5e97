import type { Config } from '../config';
import type { Log } from '../log';
import type { BrokerConnection } from './connection';
import { declareTopology } from './topology';

/** Removed bindings cause no error, so they are declared again after this time. */
const DECLARE_AGAIN_MS = 60 * 60 * 1000;
const declared = new WeakMap<BrokerConnection, { at: number; done: Promise<void> }>();

/**
 * Declares the topology once per connection and again after an hour. Callers that find something missing call
 * `forgetTopology` or discard the connection.
 * @throws BrokerError
 */
export async function ensureTopology(
  connection: BrokerConnection,
  config: Config['events'],
  log: Log,
): Promise<void> {
  const now = performance.now();
  const last = declared.get(connection);
  if (last && now - last.at < DECLARE_AGAIN_MS) return last.done;
  const done = declareTopology(connection.model, config, log);
  declared.set(connection, { at: now, done });
  await done.catch((error: unknown) => {
    forgetTopology(connection);
    throw error;
  });
}

/** The next `ensureTopology` declares again. */
export function forgetTopology(connection: BrokerConnection): void {
  declared.delete(connection);
}
