import type { Config } from '../config';
import type { Log } from '../log';
import type { BrokerConnection } from './connection';
import { declareTopology } from './topology';

/** How long a removed binding, of which no error tells, may stay unnoticed. */
const DECLARE_AGAIN_MS = 60 * 60 * 1000;
const declared = new WeakMap<BrokerConnection, { at: number; done: Promise<void> }>();

/**
 * Declares everything once for each connection, and again after an hour. Whoever finds something missing says so with
 * `forgetTopology`, or gives up the connection.
 * @throws as `declareTopology` does
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
