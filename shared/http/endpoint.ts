import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { DomainError, statusOf, titleOf } from '../errors';
import type { Log } from '../log';
import { cutPath } from '../storable';
import { corsHeaders } from './cors';
import type { Reply } from './reply';
import { type Request, readRequest } from './request';

/** What the wrapper itself needs of a context; the function gets all of it. */
export interface EndpointContext {
  config: { corsOrigins: string[] };
  newId(): string;
  log: Log;
}

/**
 * The one wrapper of all HTTP functions: request in, reply out, every error as problem details (RFC 9457), one log
 * line per request. It never throws: API Gateway would answer in its own words.
 * @param context called once per request, so that a configuration error is an answer and not a crash at load
 */
export function endpoint<C extends EndpointContext>(
  context: () => C,
  handle: (request: Request, ctx: C) => Promise<Reply>,
): (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2> {
  return async (event) => {
    const startedAt = performance.now();
    let ctx: C;
    try {
      ctx = context();
    } catch (error) {
      // Without a configuration there is no log either.
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      const { requestId } = readRequest(event, randomUUID);
      const answer = { status: 500, ...problem(new DomainError('internal_error'), requestId) };
      return toResult(answer, { 'x-request-id': requestId });
    }
    const request = readRequest(event, ctx.newId);
    const log = ctx.log.child({ requestId: request.requestId, traceId: request.traceparent.split('-')[1] });
    let answer: Reply;
    let code: string | undefined;
    try {
      answer = await handle(request, { ...ctx, log });
    } catch (error) {
      const known = error instanceof DomainError ? error : new DomainError('internal_error');
      if (known !== error) log.error('A request failed', { error });
      code = known.code;
      answer = { status: statusOf(known.code), ...problem(known, request.requestId) };
    }
    log.info('request', {
      method: request.method,
      path: cutPath(request.path),
      status: answer.status,
      ...(code && { code }),
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
    });
    return toResult(answer, {
      'x-request-id': request.requestId,
      ...corsHeaders(ctx.config.corsOrigins, request.headers['origin']),
    });
  };
}

function problem(error: DomainError, requestId: string): Omit<Reply, 'status'> {
  const { detail, errors, headers } = error.details;
  return {
    body: {
      type: `urn:rollcall:error:${error.code}`,
      title: titleOf(error.code),
      status: statusOf(error.code),
      detail: detail ?? titleOf(error.code),
      code: error.code,
      requestId,
      ...(errors && { errors }),
    },
    headers: { ...headers, 'content-type': 'application/problem+json' },
  };
}

/** Text and bytes as they are, everything else as JSON. */
function toBody(body: unknown): Pick<APIGatewayProxyStructuredResultV2, 'body' | 'isBase64Encoded'> {
  if (body === undefined) return {};
  if (Buffer.isBuffer(body)) return { body: body.toString('base64'), isBase64Encoded: true };
  return { body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function toResult(answer: Reply, headers: Record<string, string>): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: answer.status,
    headers: {
      // Nearly every answer has a token or a person in it; the few public documents say otherwise.
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(answer.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
      ...answer.headers,
    },
    ...toBody(answer.body),
  };
}
