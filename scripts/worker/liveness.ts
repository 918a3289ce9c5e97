import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import * as v from 'valibot';
import { ConfigError } from '../../shared/config/config';
import { port } from '../../shared/config/values';
import type { Task } from './task';

/** @returns the port in WORKER_PORT; undefined where it is not set. @throws ConfigError */
export function readWorkerPort(environment: NodeJS.ProcessEnv): number | undefined {
  const text = environment['WORKER_PORT'];
  if (!text) return undefined;
  const result = v.safeParse(port, text);
  if (!result.success) throw new ConfigError([`WORKER_PORT ${result.issues[0].message}`]);
  return result.output;
}

/** A run takes a minute, and what it has in hand has time limits of its own, the database's included. */
const STUCK_AFTER_MS = 5 * 60_000;

/**
 * Answers every request with 200 while all tasks turn, else 503, for whoever restarts a container that hangs. It does
 * not speak of database and broker: a restart brings neither back, and the tasks wait for them by themselves.
 * @param port unset: nothing is served
 */
export async function serveLiveness(port: number | undefined, tasks: Task[]): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  const server = createServer((_request, response) => {
    const now = performance.now();
    const stuck = tasks.filter(({ runningSince = now }) => now - runningSince > STUCK_AFTER_MS);
    response.writeHead(stuck.length > 0 ? 503 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ status: stuck.length > 0 ? 'stuck' : 'ok', stuck: stuck.map(({ name }) => name) }),
    );
  });
  server.listen(port);
  await once(server, 'listening');
  return server;
}
