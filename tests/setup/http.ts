import { type EndpointContext, endpoint } from '../../shared/http/endpoint';
import type { Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import { httpEvent, readResult, type TestReply, type TestRequest } from './http-event';
import { documentedOf, expectDocumented } from './openapi';

/**
 * Calls a function the way Lambda does, wrapper and all, with a context of the test's own.
 * @throws Error for an answer that the OpenAPI document does not have
 */
export async function call<C extends EndpointContext>(
  handle: (request: Request, ctx: C) => Promise<Reply>,
  ctx: C,
  request: TestRequest = {},
): Promise<TestReply> {
  const reply = readResult(await endpoint(() => ctx, handle)(httpEvent(request)));
  const operation = documentedOf(handle);
  if (operation) expectDocumented(operation, reply);
  return reply;
}
