// DELETE /dead-letters/{id}: gives an event up for the consumer that could not handle it.
import { type Context, containerContext } from '../../shared/context/context';
import { discardDeadLetter } from '../../shared/event-operations/discard-dead-letter';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { authenticate } from '../../shared/sessions/authenticate';

export const operation = {
  summary: 'Delete a dead letter',
  description: 'The event itself stays in the log, from where it can be replayed.',
  auth: 'bearer',
  permission: 'events:write',
  replies: { 204: { description: 'It is gone' } },
} satisfies Operation;

export async function deleteDeadLetterById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  await discardDeadLetter(ctx, request.params['id'] ?? '', originOf(request, caller));
  return reply(204);
}

export const handler = endpoint(containerContext, deleteDeadLetterById);
