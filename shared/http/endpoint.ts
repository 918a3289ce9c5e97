import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Log } from '../log';
import { cutPath } from '../storable';
import type { Access, Identified } from './access';
import { corsHeaders } from './cors';
import type { Limit } from './limit';
import { isOtherMethod, replyToUnknownRoute } from './methods';
import { originOf } from './origin';
import type { Part } from './parts';
import type { Reply } from './reply';
import { type Request, readRequest } from './request';
import { problemReply, toResult } from './result';

/** The part of a context that the wrapper itself uses. */
export interface EndpointContext {
  config: { corsOrigins: string[]; trustedProxies: string[] };
  newId(): string;
  log: Log;
}

/** Who may call an endpoint and what it accepts. The OpenAPI document is generated from it, so the two cannot differ. */
export interface Definition<C extends EndpointContext, Who extends Identified, Path, Headers, Query, Body> {
  /** Called once per request, so that a configuration error becomes a response instead of a crash at load. */
  context: () => C;
  access: Access<NoInfer<C>, Who>;
  limit?: Limit<NoInfer<C>>;
  path?: Part<Path>;
  headers?: Part<Headers>;
  query?: Part<Query>;
  /** A function if the schema depends on the configuration or the caller. */
  body?: Part<Body> | ((ctx: C, who: Who) => Part<Body>);
  handle(
    input: Who & {
      ctx: C;
      path: Path;
      headers: Headers;
      query: Query;
      body: Body;
      origin: Origin;
      method: string;
      /** Of the request, for a function with several routes. */
      pathname: string;
      /** The page that makes the request, if a browser says so: the `Origin` header. */
      pageOrigin: string | undefined;
    },
  ): Promise<Reply>;
}

export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

/** A Lambda handler with its definition. */
export interface Endpoint<C> extends Handler {
  /** For the OpenAPI document. */
  definition: {
    access: Pick<Access<never, Identified>, 'auth' | 'permission' | 'orSelf' | 'recent'>;
    limit?: object;
    path?: Part<unknown>;
    headers?: Part<unknown>;
    query?: Part<unknown>;
    body?: Part<unknown> | ((ctx: never, who: never) => Part<unknown>);
  };
  /** The same endpoint with another context, for tests. */
  in(context: () => C): Handler;
}

/**
 * The wrapper of all HTTP functions. Authenticates and authorizes, then parses headers, query, body and path, in this
 * order, as the definition says. Turns every error into problem details (RFC 9457) and logs one line per request.
 * Never throws: API Gateway would send an error in a format of its own.
 */
export function endpoint<
  C extends EndpointContext,
  Who extends Identified,
  Path = undefined,
  Headers = undefined,
  Query = undefined,
  Body = undefined,
>(definition: Definition<C, Who, Path, Headers, Query, Body>): Endpoint<C> {
  const respond = async (request: Request, ctx: C): Promise<Reply> => {
    const who = await definition.access.identify(ctx, request);
    await definition.limit?.count(ctx, request, who.caller);
    const { body } = definition;
    const bodyPart = typeof body === 'function' ? body(ctx, who) : body;
    return definition.handle({
      ...who,
      ctx,
      method: request.method,
      pathname: request.path,
      pageOrigin: request.headers['origin'],
      origin: originOf(request, who.caller),
      // The first of these that fails determines the error.
      headers: read(definition.headers, request),
      query: read(definition.query, request),
      body: read(bodyPart, request),
      path: read(definition.path, request),
    });
  };
  const handler = handlerOf(definition.context, respond);
  return Object.assign(handler, { definition, in: (context: () => C) => handlerOf(context, respond) });
}

/** Without a part, `T` is `undefined`: the default of the type parameters of `endpoint`. */
function read<T>(part: Part<T> | undefined, request: Request): T {
  return part === undefined ? (undefined as T) : part.read(request);
}

function handlerOf<C extends EndpointContext>(
  context: () => C,
  respond: (request: Request, ctx: C) => Promise<Reply>,
): Handler {
  return async (event) => {
    const startedAt = performance.now();
    let ctx: C;
    try {
      ctx = context();
    } catch (error) {
      // Without a configuration there is no log.
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      const request = readRequest(event, randomUUID);
      return toResult(request, problemReply(new DomainError('internal_error'), request.requestId));
    }
    const request = readRequest(event, ctx.newId, ctx.config.trustedProxies);
    const log = ctx.log.child({ requestId: request.requestId, traceId: request.traceparent.split('-')[1] });
    let reply: Reply;
    let code: string | undefined;
    try {
      reply = isOtherMethod(event.routeKey, request.method)
        ? replyToUnknownRoute(request.method)
        : await respond(request, { ...ctx, log });
    } catch (error) {
      const known = error instanceof DomainError ? error : new DomainError('internal_error');
      // A client's error has no cause; a failure on our side has one that belongs in the log.
      if (known !== error || known.cause !== undefined) log.error('A request failed', { error });
      code = known.code;
      reply = problemReply(known, request.requestId);
    }
    log.info('request', {
      method: request.method,
      path: cutPath(request.path),
      status: reply.status,
      ...(code && { code }),
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
    });
    return toResult(request, reply, corsHeaders(ctx.config.corsOrigins, request.headers['origin']));
  };
}
