import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { DomainError, statusOf, titleOf } from '../errors';
import type { Log } from '../log';
import { cutPath } from '../storable';
import { corsHeaders } from './cors';
import { answerNoRoute, isOtherMethod } from './methods';
import type { Reply } from './reply';
import { type Request, readRequest } from './request';

/** What the wrapper itself needs of a context; the function gets all of it. */
export interface EndpointContext {
  config: { corsOrigins: string[]; trustedProxies: string[] };
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
      const request = readRequest(event, randomUUID);
      const answer = { status: 500, ...problem(new DomainError('internal_error'), request.requestId) };
      return toResult(request, answer);
    }
    const request = readRequest(event, ctx.newId, ctx.config.trustedProxies);
    const log = ctx.log.child({ requestId: request.requestId, traceId: request.traceparent.split('-')[1] });
    let answer: Reply;
    let code: string | undefined;
    try {
      answer = isOtherMethod(event.routeKey, request.method)
        ? answerNoRoute(request.method)
        : await handle(request, { ...ctx, log });
    } catch (error) {
      const known = error instanceof DomainError ? error : new DomainError('internal_error');
      // What a client did wrong has no cause; what is wrong on our side has one to be logged.
      if (known !== error || known.cause !== undefined) log.error('A request failed', { error });
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
    return toResult(request, answer, corsHeaders(ctx.config.corsOrigins, request.headers['origin']));
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

/** A year, as RFC 6797 suggests at least, for the host and what is below it. */
const STRICT_TRANSPORT = 'max-age=31536000; includeSubDomains';

function toResult(
  request: Request,
  answer: Reply,
  headers: Record<string, string> = {},
): APIGatewayProxyStructuredResultV2 {
  const { body, isBase64Encoded } = toBody(answer.body);
  return {
    statusCode: answer.status,
    headers: {
      // Nearly every answer has a token or a person in it; the few public documents say otherwise.
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Over https only (RFC 6797, section 7.2): on http, such as that of `npm start`, it must not be sent.
      ...(request.headers['x-forwarded-proto'] === 'https' && {
        'strict-transport-security': STRICT_TRANSPORT,
      }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'x-request-id': request.requestId,
      ...headers,
      ...answer.headers,
      // What GET says of its content, without the content (RFC 9110, sections 8.6 and 9.3.2).
      ...(request.method === 'HEAD' &&
        body !== undefined && { 'content-length': String(sizeOf(body, isBase64Encoded)) }),
    },
    ...(request.method !== 'HEAD' &&
      body !== undefined && { body, ...(isBase64Encoded && { isBase64Encoded }) }),
  };
}

/** Text and bytes as they are, everything else as JSON. */
function toBody(body: unknown): { body?: string; isBase64Encoded?: boolean } {
  if (body === undefined) return {};
  if (Buffer.isBuffer(body)) return { body: body.toString('base64'), isBase64Encoded: true };
  return { body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function sizeOf(body: string, isBase64Encoded = false): number {
  return Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8');
}
