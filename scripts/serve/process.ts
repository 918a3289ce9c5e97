import cluster from 'node:cluster';
import { CONSUMER_NAMES } from '../../shared/broker/topology';
import { useLineWriter } from '../../shared/log';
import { publishInBackground, publishingContext } from '../../shared/outbox/publisher';
import { useHashing } from '../../shared/passwords/hashing';
import { answer } from './answer';
import { createHashing, hashesAtOnce } from './hashing-threads';
import { sendHeartbeats } from './heartbeat';
import { type HttpServer, startHttpServer } from './http-server';
import { lineWriter } from './line-writer';
import { answerLiveness, LIVENESS_PATH } from './liveness';
import type { ServeSettings } from './settings';
import { stopSignal } from './stop-signal';
import { readTarget } from './target';
import { repeat } from './task';
import { scheduledTasks } from './tasks';
import { untilDatabaseAnswers } from './until-database-answers';

/** Database connections for concurrent requests. More requests would wait for the processor anyway. */
const HTTP_CONNECTIONS = 10;

/** Runs this process's parts of the service until a signal stops it. */
export async function runProcess({ parts, host, port, processes }: ServeSettings): Promise<void> {
  const servesHttp = parts.has('http');
  const hasTasks = parts.size > (servesHttp ? 1 : 0);
  // All consumers, the relay and the query of its backlog run concurrently: with one connection, which suits a Lambda
  // container, they would wait for each other.
  const connections = (servesHttp ? HTTP_CONNECTIONS : 0) + (hasTasks ? CONSUMER_NAMES.length + 2 : 0);
  process.env['DATABASE_POOL_SIZE'] ||= String(connections);
  const hashing = createHashing(hashesAtOnce(processes));
  useHashing(hashing);
  useLineWriter(lineWriter(process.stdout));
  const ctx = publishingContext();
  const { log } = ctx;
  const publisher = publishInBackground(ctx.publisher);
  ctx.publisher = publisher;
  const { tasks, close } = scheduledTasks(ctx, parts);

  const signal = stopSignal(log);
  if (cluster.isWorker) sendHeartbeats(tasks, (heartbeat) => process.send?.(heartbeat));
  const http: HttpServer = await startHttpServer(port, host, (request, response, isLast) => {
    if (servesHttp && readTarget(request).path !== LIVENESS_PATH) void answer(request, response, isLast);
    else answerLiveness(tasks, request, response);
  });
  if (tasks.length > 0) await untilDatabaseAnswers(ctx, signal);
  if (!signal.aborted) log.info('Rollcall runs', { parts: [...parts], port: http.port, pid: process.pid });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.all([stopped.then(() => http.stop()), ...tasks.map((task) => repeat(task, log, signal))]);
  await publisher.settled();
  await close();
  await hashing.close();
  await ctx.broker.close();
  await ctx.db.destroy();
  log.info('Rollcall has stopped');
}
