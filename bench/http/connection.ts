import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Reply {
  status: number;
  body: string;
}

/**
 * A keep-alive connection that has one request under way at a time. node:http's own client would take as much of the machine
 * as the server that is measured.
 */
export class Connection {
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve(reply: Reply): void; reject(error: Error): void } | null = null;
  #socket: Socket | null = null;

  constructor(private readonly port: number) {}

  async request(method: string, path: string, token: string | null, body?: unknown): Promise<Reply> {
    const socket = this.#socket ?? (await this.#open());
    const content = body === undefined ? '' : JSON.stringify(body);
    const head = [
      `${method} ${path} HTTP/1.1`,
      'host: localhost',
      ...(token === null ? [] : [`authorization: Bearer ${token}`]),
      ...(body === undefined
        ? []
        : ['content-type: application/json', `content-length: ${Buffer.byteLength(content)}`]),
    ];
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    socket.write(`${head.join('\r\n')}\r\n\r\n${content}`);
    return reply;
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #open(): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (data) => this.#read(data));
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null;
      this.#waiting?.reject(new Error('The server closed the connection before it answered'));
    });
    await once(socket, 'connect');
    this.#received = Buffer.alloc(0);
    this.#socket = socket;
    return socket;
  }

  #read(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    const reply = parseReply(this.#received);
    if (!reply) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (reply.isLast) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    waiting?.resolve(reply);
  }
}

/** @returns null if the response is not complete yet */
function parseReply(data: Buffer): (Reply & { isLast: boolean }) | null {
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = data.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const bodyAt = end + 4;
  if (length === undefined && !data.toString('latin1', bodyAt).endsWith('0\r\n\r\n')) return null;
  if (length !== undefined && data.length < bodyAt + Number(length)) return null;
  return {
    status: Number(head.slice(9, 12)),
    body: data.toString('utf8', bodyAt),
    isLast: /\r\nconnection: *close/i.test(head),
  };
}
