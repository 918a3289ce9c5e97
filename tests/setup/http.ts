import type { Endpoint } from '../../shared/http/endpoint';
import { httpEvent, readResult, type TestReply, type TestRequest } from './http-event';
import { documentedOf, expectDocumented } from './openapi';

/**
 * Calls a function the way Lambda does, wrapper and all, with a context of the test's own.
 * @throws Error for an answer that the OpenAPI document does not have
 */
export async function call<C>(handler: Endpoint<C>, ctx: C, request: TestRequest = {}): Promise<TestReply> {
  const reply = readResult(await handler.in(() => ctx)(httpEvent(request)));
  const operation = documentedOf(handler);
  if (operation) expectDocumented(operation, reply);
  return reply;
}
