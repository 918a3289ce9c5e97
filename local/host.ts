// The process of `npm start` that answers HTTP. The newest bundle of the service answers; requests under way finish in the bundle
// that they began in.
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttpServer } from '../scripts/serve/http-server';
import { answerFault, FAULTS_PATH } from './fault-requests';
import type { FromHost, ToHost } from './host-messages';

type Bundle = typeof import('./service');

interface Current extends Bundle {
  service: ReturnType<Bundle['startService']>;
  requests: number;
  onIdle(): void;
}

let current: Current | undefined;
let announceFirst: (bundle: Current) => void = () => {};
const first = new Promise<Current>((resolve) => {
  announceFirst = resolve;
});

/** Requests before the first bundle, which comes when the servers are ready, wait for it. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  isLast: () => boolean,
): Promise<void> {
  const bundle = current ?? (await first);
  if (request.url?.startsWith(FAULTS_PATH)) return answerFault(request, response, inject);
  bundle.requests += 1;
  await bundle.answer(request, response, isLast).finally(() => {
    bundle.requests -= 1;
    if (bundle.requests === 0) bundle.onIdle();
  });
}

/** This process injects the consumers' faults, its parent the broker's. @returns false if there is none of that name */
async function inject(name: string): Promise<boolean> {
  const fault = current?.CONSUMER_FAULTS.find((known) => known === name);
  if (fault) {
    await current?.service.inject(fault);
    return true;
  }
  const id = randomUUID();
  send({ kind: 'fault', id, name });
  for await (const [message] of on(process, 'message')) {
    const reply: ToHost = message;
    if (reply.kind === 'injected' && reply.id === id) return reply.done;
  }
  return false;
}

/** @throws what the new bundle throws when it is loaded; then nothing is replaced */
function load(file: string): void {
  const bundle: Bundle = require(file);
  // So that its memory is free once it is replaced, and so that an edit that is undone, which is the same file, begins anew.
  module.children.length = 0;
  delete require.cache[file];
  const previous = current;
  current = { ...bundle, service: bundle.startService(), requests: 0, onIdle: () => {} };
  announceFirst(current);
  if (previous) void retire(previous);
}

async function retire(bundle: Current): Promise<void> {
  await bundle.service.stopTasks();
  if (bundle.requests > 0) {
    await new Promise<void>((resolve) => {
      bundle.onIdle = resolve;
    });
  }
  await bundle.service.close();
}

function send(message: FromHost): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  process.on('disconnect', () => process.exit());
  // A terminal sends Ctrl-C to this process too; the one that started it says when to stop.
  process.on('SIGINT', () => {});
  process.on('message', (message: ToHost) => {
    if (message.kind !== 'load') return;
    try {
      load(message.file);
      send({ kind: 'loaded', failure: null });
    } catch (error) {
      send({ kind: 'loaded', failure: error instanceof Error ? String(error.stack) : String(error) });
    }
  });
  const stopping = once(process, 'SIGTERM');
  const http = await startHttpServer(Number(process.argv[2]), '127.0.0.1', answer);
  await stopping;
  // Without a bundle, requests wait for one that will not come.
  if (current) {
    await Promise.all([http.stop(), current.service.stopTasks()]);
    await current.service.close();
  }
  process.exit();
}

void main();
