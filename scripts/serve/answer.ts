import type { IncomingMessage, ServerResponse } from 'node:http';
import { gatewayEvent } from './gateway-event';
import { route } from './router';
import { readTarget } from './target';

/** One byte more than the functions accept, so that they recognize a body that is too large. */
const MAX_BODY_BYTES = 64 * 1024 + 1;

/**
 * Answers a request by its HTTP function.
 * @param isLast whether the connection ends with the response
 * @returns when the response is on its way
 */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  isLast: () => boolean,
): Promise<void> {
  try {
    const { method = 'GET' } = request;
    const { path, host } = readTarget(request);
    // Without the host, which the client chooses freely.
    const url = new URL(`http://localhost${path}`);
    const match = route(method, url.pathname);
    const body = hasBody(request) ? await readBody(request) : NO_BODY;
    const {
      statusCode,
      headers,
      body: content = '',
      cookies,
      isBase64Encoded,
    } = await match.handler(gatewayEvent(request, { url, host }, match, body));
    // The rest of a body that is too large is not read, so that the response does not wait for it.
    if (isLast() || !request.complete) response.setHeader('connection', 'close');
    response.statusCode = statusCode ?? 200;
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
    if (cookies) response.setHeader('set-cookie', cookies);
    response.end(isBase64Encoded ? Buffer.from(content, 'base64') : content, () => {
      if (!request.complete) request.destroy();
    });
  } catch {
    // The client has disconnected, or has sent a target that is not a URL.
    if (!response.headersSent && !response.destroyed) response.writeHead(400, { connection: 'close' }).end();
  }
}

const NO_BODY = Buffer.alloc(0);

/** RFC 9112, section 6.3: a request without these headers has no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** @returns the body, or enough of it to show that it is too large */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks);
}
