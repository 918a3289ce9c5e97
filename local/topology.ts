import { createBroker } from '../shared/broker/connection';
import { declareTopology } from '../shared/broker/topology';
import { readConfig } from '../shared/config';
import { createLog } from '../shared/log';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Declares exchanges and queues before the first HTTP response. If the broker is down or refuses, `npm start` continues:
 * registrations need no broker, and relay and poller keep trying.
 */
export async function prepareBroker(environment: NodeJS.ProcessEnv): Promise<void> {
  const { broker: place, events, logLevel } = readConfig(environment);
  const log = createLog(logLevel);
  const broker = createBroker(place.url, 'rollcall-start', log);
  try {
    const { model } = await broker.open(CONNECT_TIMEOUT_MS);
    await declareTopology(model, events, log);
  } catch (error) {
    console.error(
      `Exchange and queues are not declared yet: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    await broker.close();
  }
}
