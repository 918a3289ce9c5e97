import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Message {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A webhook's receiver: a real HTTP server that keeps what it is sent. */
export interface Receiver {
  url: string;
  port: number;
  /** In the order of their arrival, answered or not. */
  messages: Message[];
  /** Connections, with or without a request. */
  connections: number;
  /** What it answers; at first 204. */
  answer: (response: ServerResponse, message: Message) => void;
  stop(): Promise<void>;
}

export async function startReceiver(answer?: Receiver['answer']): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const message = { headers: request.headers, body: Buffer.concat(chunks).toString() };
    receiver.messages.push(message);
    receiver.answer(response, message);
  });
  server.on('connection', () => {
    receiver.connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    messages: [],
    connections: 0,
    answer: answer ?? ((response) => void response.writeHead(204).end()),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}

/** Answers everything with this status. */
export function status(code: number, headers: Record<string, string> = {}): Receiver['answer'] {
  return (response) => void response.writeHead(code, headers).end(`status ${code}`);
}

/** The payload, as a receiver with this secret gets it from the reference library. Throws where it does not verify. */
export function verified(secret: string, message: Message | undefined) {
  if (!message) throw new Error('There is no message');
  return new Webhook(secret).verify(message.body, message.headers as Record<string, string>) as Record<
    string,
    unknown
  >;
}

/** The ids of what it was sent, in the order of arrival. */
export function idsAt({ messages }: Receiver): string[] {
  return messages.map(({ headers }) => String(headers['webhook-id']));
}
