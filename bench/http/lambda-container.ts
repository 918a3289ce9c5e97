import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../scripts/function-files';

/** As serverless.yml has it for most functions. */
const TIMEOUT_MS = 60_000;

/** Where a function has thrown, or its container has ended. */
export class FunctionError extends Error {}

interface Invocation {
  id: string;
  payload: string;
  resolve(result: string): void;
  reject(error: Error): void;
}

/** One container of a built function: a process, and the Runtime API that it talks to. Takes one event at a time. */
export class Container {
  #next: Invocation | null = null;
  #current: Invocation | null = null;
  /** The request of a runtime that waits for an event. */
  #idle: ServerResponse | null = null;

  private constructor(
    readonly name: string,
    private readonly server: Server,
    private child: ChildProcess | null,
  ) {}

  /** Returns as soon as the process is started: an event that is passed now measures the cold start. */
  static async start(name: string, environment: Record<string, string>): Promise<Container> {
    const server = createServer((request, response) => void container.#answer(request, response));
    const container = new Container(name, server, null);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    container.child = spawn(process.execPath, [join(__dirname, 'lambda-runtime.cjs')], {
      env: {
        ...environment,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: name,
        LAMBDA_TASK_ROOT: join(ROOT, 'dist', name),
        _HANDLER: 'index.handler',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    container.child.once('exit', () => container.#fail('the process has ended'));
    return container;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** @throws FunctionError */
  async invoke(payload: unknown): Promise<unknown> {
    const result = await new Promise<string>((resolve, reject) => {
      this.#next = { id: randomUUID(), payload: JSON.stringify(payload), resolve, reject };
      this.#deliver();
    });
    return JSON.parse(result);
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    this.server.closeAllConnections();
    this.server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const path = (request.url ?? '').replace('/2018-06-01/runtime/', '');
    if (path === 'invocation/next') {
      this.#idle = response;
      this.#deliver();
      return;
    }
    response.writeHead(202).end();
    const invocation = this.#current;
    this.#current = null;
    if (path.endsWith('/response')) invocation?.resolve(body);
    else this.#fail(JSON.parse(body).errorMessage, invocation);
  }

  #deliver(): void {
    const [invocation, response] = [this.#next, this.#idle];
    if (!invocation || !response) return;
    this.#next = null;
    this.#idle = null;
    this.#current = invocation;
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(Date.now() + TIMEOUT_MS),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:eu-central-1:000000000000:function:${this.name}`,
    });
    response.end(invocation.payload);
  }

  #fail(reason: string, invocation = this.#current ?? this.#next): void {
    invocation?.reject(new FunctionError(`${this.name}: ${reason}`));
  }
}
