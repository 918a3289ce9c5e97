import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AwsAnswer {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

/** AWS's wire protocols, as far as a test has answers; the real client is what talks to it. */
export interface AwsServer {
  url: string;
  /** What was asked for, in order, such as `GetCallerIdentity` or `PUT /2015-03-31/functions/x/code`. */
  calls: string[];
  /** By what was asked for. All else is refused. */
  answers: Map<string, AwsAnswer>;
  stop(): Promise<void>;
}

export async function startAwsServer(): Promise<AwsServer> {
  const calls: string[] = [];
  const answers = new Map<string, AwsAnswer>();
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString('latin1');
    const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const call = target ?? new URLSearchParams(body).get('Action') ?? `${request.method} ${path}`;
    calls.push(call);
    const answer = answers.get(call) ?? xmlError(403, 'AccessDenied', `The test does not expect ${call}`);
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answers,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer of the services that still speak XML: STS and CloudFormation. */
export function xml(action: string, result: string): AwsAnswer {
  const body = `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
  return { headers: { 'content-type': 'text/xml' }, body };
}

export function xmlError(status: number, code: string, message: string): AwsAnswer {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

export function jsonError(status: number, type: string, message: string): AwsAnswer {
  return { status, headers: { 'x-amzn-errortype': type }, body: JSON.stringify({ __type: type, message }) };
}
