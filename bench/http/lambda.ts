import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { httpFunctions } from '../../scripts/openapi/routes';
import { gatewayEvent } from '../../scripts/serve/gateway-event';
import { type BenchServers, benchService, HIGH_LIMITS } from '../environment';
import { Container } from './lambda-container';
import type { MailSink } from './mail-sink';
import type { Target } from './targets';

/** Run one after the other, as EventBridge does every minute. */
const SCHEDULED = ['relay-outbox', 'poll-queues', 'send-webhooks'];
const FUNCTION_PREFIX = 'bench-';

export interface LambdaTarget extends Target {
  /** Starts a container for one function alone. */
  startContainer(name: string): Promise<Container>;
  /** From now on, relay, poller and webhooks run. */
  startSchedule(): void;
}

/**
 * The built functions as AWS runs them: an HTTP API in front, a process per container, a further container where all of a
 * function's are busy, and the Invoke API for the poller. Unlike on AWS, a container is not frozen between its events, and
 * all of them share this machine.
 */
export async function startLambda(servers: BenchServers, mailSink: MailSink): Promise<LambdaTarget> {
  const startedAt = performance.now();
  const service = await benchService(servers);
  const routes = new Map<string, string>();
  for (const { name, routes: own } of await httpFunctions())
    for (const { method, path } of own) routes.set(`${method} ${path}`, name);

  const all: Container[] = [];
  const idle = new Map<string, Container[]>();
  const startContainer = async (name: string) => {
    const container = await Container.start(name, environment);
    all.push(container);
    return container;
  };
  /** @throws FunctionError */
  const invoke = async (name: string, payload: unknown): Promise<unknown> => {
    const waiting = idle.get(name) ?? [];
    idle.set(name, waiting);
    const container = waiting.pop() ?? (await startContainer(name));
    const result = await container.invoke(payload);
    waiting.push(container);
    return result;
  };

  const server = createServer((request, response) => void answer(request, response));
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const environment = {
    ...service.environment,
    ...HIGH_LIMITS,
    SMTP_URL: mailSink.url,
    FUNCTION_PREFIX,
    LAMBDA_ENDPOINT: `http://127.0.0.1:${port}`,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://localhost${request.url}`);
    const body = await buffer(request);
    const invoked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname)?.[1];
    try {
      if (invoked) {
        const result = await invoke(invoked.slice(FUNCTION_PREFIX.length), JSON.parse(body.toString()));
        response.end(JSON.stringify(result));
        return;
      }
      const routeKey = `${request.method} ${url.pathname}`;
      const event = gatewayEvent(
        request,
        { url, host: request.headers.host },
        { routeKey, params: {} },
        body,
      );
      const result = await invoke(routes.get(routeKey) ?? 'fallback', event);
      const { statusCode, headers, body: content = '' } = result as APIGatewayProxyStructuredResultV2;
      response.writeHead(statusCode ?? 200, {
        ...(headers as Record<string, string>),
        'content-length': Buffer.byteLength(content),
      });
      response.end(content);
    } catch (error) {
      response.writeHead(invoked ? 200 : 502, { 'x-amz-function-error': 'Unhandled' });
      response.end(JSON.stringify({ errorMessage: String(error) }));
    }
  }

  let stopping = false;
  const repeat = async (name: string) => {
    while (!stopping) await invoke(name, {}).catch(() => {});
  };
  return {
    port,
    ctx: service.ctx,
    startMs: performance.now() - startedAt,
    pids: () => all.map(({ pid }) => pid),
    startContainer,
    startSchedule: () => {
      for (const name of SCHEDULED) void repeat(name);
    },
    stop: async () => {
      stopping = true;
      await Promise.all(all.map((container) => container.stop()));
      server.closeAllConnections();
      server.close();
      await service.close();
    },
  };
}
