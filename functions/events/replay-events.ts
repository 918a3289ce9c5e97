// POST /events/replay: sends past events again, to one consumer's queue.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { QueueName } from '../../shared/event-operations/consumer-queue';
import { replay } from '../../shared/event-operations/replay';
import { EVENT_TYPES } from '../../shared/events/catalog';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Replayed } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { Time } from '../../shared/time';

const Body = exactly({
  queue: QueueName,
  from: v.optional(Time),
  to: v.optional(v.pipe(Time, v.description('Not included'))),
  types: v.optional(
    v.pipe(
      v.array(v.picklist(EVENT_TYPES, 'must be an event type'), 'must be a list'),
      v.minLength(1, 'must not be empty; leave it out for all types'),
    ),
  ),
  subject: v.optional(v.pipe(v.string('must be a string'), v.uuid('must be an id'))),
});

export const operation = {
  summary: 'Send past events to one queue again',
  description:
    'In their order, as the log has them now. What the consumer has handled before it drops; so this is for a new consumer, or one whose queue was lost.',
  auth: 'bearer',
  permission: 'events:write',
  body: Body,
  example: { queue: 'rollcall.audit', from: '2026-11-01', types: ['user.created'] },
  replies: { 202: { description: 'So many are on their way', body: Replayed } },
} satisfies Operation;

export async function replayEventLog(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  return reply(202, { replayed: await replay(ctx, parseBody(request, Body), originOf(request, caller)) });
}

export const handler = endpoint(containerContext, replayEventLog);
