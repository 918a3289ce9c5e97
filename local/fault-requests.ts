import type { IncomingMessage, ServerResponse } from 'node:http';

export const FAULTS_PATH = '/local/faults';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * `GET /local/faults` tells the console that it can inject faults, `POST /local/faults/{fault}` injects one.
 * @param inject returns false if there is no fault of that name
 */
export async function answerFault(
  { method, url = '', headers }: IncomingMessage,
  response: ServerResponse,
  inject: (name: string) => Promise<boolean>,
): Promise<void> {
  const respond = (status: number) => void response.writeHead(status).end();
  if (method === 'GET' && url === FAULTS_PATH) return respond(204);
  if (method !== 'POST') return respond(404);
  // Another page in the developer's browser could send a POST too: from its own origin, or by its own name that points here (DNS
  // rebinding). `Origin` and Host reveal both.
  const { host = '', origin = '' } = headers;
  const isOwnPage = LOOPBACK.test(host) && URL.canParse(origin) && new URL(origin).host === host;
  if (!isOwnPage) return respond(403);
  try {
    respond((await inject(url.slice(FAULTS_PATH.length + 1))) ? 204 : 404);
  } catch (error) {
    console.error('The fault was not injected:', error);
    respond(500);
  }
}
