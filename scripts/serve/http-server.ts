import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The time limit for all headers. A client that sends them slowly occupies only a connection. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The time limit for a whole request, headers and body. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node.js checks the two. */
const CHECK_INTERVAL_MS = 2_000;
/** Longer than the minute of common load balancers, which would otherwise reuse a connection that was just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** @param isLast whether the server is stopping, so that the connection ends with the response */
export type RequestListener = (
  request: IncomingMessage,
  response: ServerResponse,
  isLast: () => boolean,
) => void;

export interface HttpServer {
  port: number;
  /** Refuses new connections and completes the requests under way. Resolves after the last response. */
  stop(): Promise<void>;
}

/**
 * A server with limits against slow clients.
 * @throws Error if the port is taken
 */
export async function startHttpServer(
  port: number,
  host: string | undefined,
  listener: RequestListener,
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
    (request, response) => listener(request, response, () => stopping),
  );
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    stop: async () => {
      stopping = true;
      const closed = once(server, 'close');
      server.close();
      // Browsers open connections before they need them. Node.js would wait for their first request.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      await closed;
    },
  };
}
