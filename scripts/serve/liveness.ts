import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Task } from './task';

/** A run takes a minute, and its remaining work has its own time limits, including the database's. */
export const STUCK_AFTER_MS = 5 * 60_000;

/** The path of the liveness check. `GET /health` of the API says whether users can register. */
export const LIVENESS_PATH = '/health/live';

/**
 * Answers with 200 while all tasks make progress, else 503, so that the platform restarts a container that hangs. It ignores
 * database and broker: a restart would not bring them back, and the tasks wait for them.
 */
export function answerLiveness(tasks: Task[], _request: IncomingMessage, response: ServerResponse): void {
  const stuck = stuckTasks(tasks);
  response.writeHead(stuck.length > 0 ? 503 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: stuck.length > 0 ? 'stuck' : 'ok', stuck }));
}

/** @returns the names of the tasks that make no progress */
export function stuckTasks(tasks: Task[]): string[] {
  const now = performance.now();
  return tasks
    .filter(({ runningSince = now }) => now - runningSince > STUCK_AFTER_MS)
    .map(({ name }) => name);
}
