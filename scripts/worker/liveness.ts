import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Task } from './task';

/** The longest that Lambda lets a function run: who has not ended by then never will. */
const STUCK_AFTER_MS = 15 * 60_000;

/**
 * Answers every request with 200 while all tasks turn, else 503, for whoever restarts a container that hangs. It does
 * not speak of database and broker: a restart brings neither back, and the tasks wait for them by themselves.
 * @param port unset: nothing is served
 */
export async function serveLiveness(port: string | undefined, tasks: Task[]): Promise<Server | undefined> {
  if (!port) return undefined;
  if (!/^\d{1,5}$/.test(port)) throw new Error('WORKER_PORT must be a port number');
  const server = createServer((_request, response) => {
    const now = performance.now();
    const stuck = tasks.filter(({ runningSince = now }) => now - runningSince > STUCK_AFTER_MS);
    response.writeHead(stuck.length > 0 ? 503 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ status: stuck.length > 0 ? 'stuck' : 'ok', stuck: stuck.map(({ name }) => name) }),
    );
  });
  server.listen(Number(port));
  await once(server, 'listening');
  return server;
}
