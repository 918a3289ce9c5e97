// POST /dead-letters/redrive: has all dead letters of a queue sent to it again.
import { type Context, containerContext } from '../../shared/context/context';
import { QueueName } from '../../shared/event-operations/consumer-queue';
import { redriveQueue } from '../../shared/event-operations/redrive';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Redriven } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({ queue: QueueName });

export const operation = {
  summary: 'Send all dead letters of a queue to it again',
  description: 'Those that hold no event stay: they have to be edited or deleted.',
  auth: 'bearer',
  permission: 'events:write',
  body: Body,
  example: { queue: 'rollcall.audit' },
  replies: { 202: { description: 'So many are on their way', body: Redriven } },
} satisfies Operation;

export async function redriveAll(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  const { queue } = parseBody(request, Body);
  return reply(202, { redriven: await redriveQueue(ctx, queue, originOf(request, caller)) });
}

export const handler = endpoint(containerContext, redriveAll);
