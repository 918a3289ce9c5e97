import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Task } from './task';

/** A run takes a minute, and what it has in hand has time limits of its own, the database's included. */
const STUCK_AFTER_MS = 5 * 60_000;

/** Where the process says that it is alive; beside the API, whose own `GET /health` says whether users can register. */
export const LIVENESS_PATH = '/health/live';

/**
 * Answers with 200 while all tasks turn, else 503, for whoever restarts a container that hangs. It does not speak of
 * database and broker: a restart brings neither back, and the tasks wait for them by themselves.
 */
export function answerLiveness(tasks: Task[], _request: IncomingMessage, response: ServerResponse): void {
  const now = performance.now();
  const stuck = tasks
    .filter(({ runningSince = now }) => now - runningSince > STUCK_AFTER_MS)
    .map(({ name }) => name);
  response.writeHead(stuck.length > 0 ? 503 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: stuck.length > 0 ? 'stuck' : 'ok', stuck }));
}
