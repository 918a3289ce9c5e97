// PUT /dead-letters/{id}: puts another event in the place of one that no handler could take, before it is redriven.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { editDeadLetter } from '../../shared/event-operations/edit-dead-letter';
import { isEvent, type UserEvent } from '../../shared/events/catalog';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { DeadLetter } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({
  event: v.pipe(
    v.custom<UserEvent>(isEvent, 'must be an event, with every field that its type has'),
    v.metadata({ type: 'object' }),
  ),
});

export const operation = {
  summary: 'Edit a dead letter',
  description: 'The event keeps its id: what has been handled under it stays handled.',
  auth: 'bearer',
  permission: 'events:write',
  body: Body,
  replies: { 200: { description: 'The dead letter as it is now', body: DeadLetter } },
} satisfies Operation;

export async function editDeadLetterById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  const { event } = parseBody(request, Body);
  return reply(200, await editDeadLetter(ctx, request.params['id'] ?? '', event, originOf(request, caller)));
}

export const handler = endpoint(containerContext, editDeadLetterById);
