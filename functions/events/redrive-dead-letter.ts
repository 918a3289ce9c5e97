// POST /dead-letters/{id}/redrive: has a dead letter sent to its queue again, with all of its attempts before it.
import { type Context, containerContext } from '../../shared/context/context';
import { redriveDeadLetter } from '../../shared/event-operations/redrive';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Redriven } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';

export const operation = {
  summary: 'Send a dead letter to its queue again',
  description: 'Where its consumer has handled the event meanwhile, nothing happens twice.',
  auth: 'bearer',
  permission: 'events:write',
  replies: { 202: { description: 'It is on its way, and no dead letter any more', body: Redriven } },
  errors: ['not_redrivable'],
} satisfies Operation;

export async function redriveOne(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  await redriveDeadLetter(ctx, request.params['id'] ?? '', originOf(request, caller));
  return reply(202, { redriven: 1 });
}

export const handler = endpoint(containerContext, redriveOne);
