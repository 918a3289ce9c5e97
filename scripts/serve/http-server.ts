import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gatewayEvent } from './gateway-event';
import { route } from './router';

/** For all headers: whoever sends them slower holds a connection and nothing else. */
const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request, headers and body. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often the two are looked at. */
const CHECK_INTERVAL_MS = 2_000;
/** Longer than the minute of the usual load balancers: else they reuse a connection that has just been closed. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** One byte more than the functions accept, by which they know a body that is too large. */
const MAX_BODY_BYTES = 64 * 1024 + 1;

export interface HttpServer {
  port: number;
  /** Refuses new connections, lets requests under way finish. Resolves when the last one has its answer. */
  stop(): Promise<void>;
}

/**
 * Serves the HTTP functions by `node:http`.
 * @param intercept answers what is no function's, such as whether the process is alive; false: it does not
 * @throws Error where the port is taken
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
    // The host is the client's to choose, and may be anything.
    const url = new URL(`http://localhost${request.url ?? '/'}`);
    const match = route(method, url.pathname);
    const body = await readBody(request);
    const {
      statusCode,
      headers,
      body: content = '',
      isBase64Encoded,
    } = await match.handler(gatewayEvent(request, url, match, body));
    // What is left of a body that is too large is not read: nobody has to wait until it is all here.
    if (isLast() || !request.complete) response.setHeader('connection', 'close');
    response.statusCode = statusCode ?? 200;
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
    response.end(isBase64Encoded ? Buffer.from(content, 'base64') : content, () => {
      if (!request.complete) request.destroy();
    });
  } catch {
    // The client is gone, or has sent a target that is no URL.
    if (!response.headersSent && !response.destroyed) response.writeHead(400, { connection: 'close' }).end();
  }
}

/** @returns the body, or as much of it as shows that it is too large */
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
