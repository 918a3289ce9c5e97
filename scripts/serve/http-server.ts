import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gatewayEvent } from './gateway-event';
import { route } from './router';

/** The time limit for all headers. A client that sends them slowly occupies only a connection. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The time limit for a whole request, headers and body. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node.js checks the two. */
const CHECK_INTERVAL_MS = 2_000;
/** Longer than the minute of common load balancers, which would otherwise reuse a connection that was just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** One byte more than the functions accept, so that they recognize a body that is too large. */
const MAX_BODY_BYTES = 64 * 1024 + 1;

export interface HttpServer {
  port: number;
  /** Refuses new connections and completes the requests under way. Resolves after the last response. */
  stop(): Promise<void>;
}

/**
 * Serves the HTTP functions by `node:http`.
 * @param intercept answers requests that belong to no function, such as the liveness check; returns false for all others
 * @throws Error if the port is taken
 */
export async function startHttpServer(
  port: number,
  host: string | undefined,
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<HttpServer> {
  let stopping = false;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      if (!intercept(request, response)) void answer(request, response, () => stopping);
    },
  );
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    stop: async () => {
      stopping = true;
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  isLast: () => boolean,
): Promise<void> {
  try {
    const { method = 'GET' } = request;
    // Not from the Host header, which the client chooses freely.
    const url = new URL(`http://localhost${request.url ?? '/'}`);
    const match = route(method, url.pathname);
    const body = await readBody(request);
    const {
      statusCode,
      headers,
      body: content = '',
      cookies,
      isBase64Encoded,
    } = await match.handler(gatewayEvent(request, url, match, body));
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
