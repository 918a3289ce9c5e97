import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { characters } from '../characters';
import { DomainError, type FieldError } from '../errors';
import { cutPath, findUnstorable, MAX_ERRORS, storableText } from '../storable';
import { clientAddress } from './client-address';

export const MAX_BODY_BYTES = 64 * 1024;

/** A request as the functions see it, whatever the gateway made of it. */
export interface Request {
  method: string;
  path: string;
  params: Record<string, string | undefined>;
  query: Record<string, string | undefined>;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** As it came; `parseBody` reads it. */
  rawBody: Buffer;
  requestId: string;
  /** W3C Trace Context of this request: the caller's trace continued, or a new one. */
  traceparent: string;
  address: string | null;
  userAgent: string | null;
}

const SANE_REQUEST_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;
const MAX_USER_AGENT = 512;

/** @param trustedProxies the networks whose word on where a request comes from counts */
export function readRequest(
  event: APIGatewayProxyEventV2,
  newId: () => string,
  trustedProxies: string[] = [],
): Request {
  const headers = Object.fromEntries(
    Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { http } = event.requestContext;
  const givenId = headers['x-request-id'];
  return {
    method: http.method,
    path: event.rawPath,
    params: readParams(event.pathParameters ?? {}),
    query: event.queryStringParameters ?? {},
    headers,
    rawBody: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    requestId: givenId && SANE_REQUEST_ID.test(givenId) ? givenId : newId(),
    traceparent: continueTrace(headers['traceparent'], newId),
    address: clientAddress(http.sourceIp, headers['x-forwarded-for'], trustedProxies),
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
  };
}

/** A name that PostgreSQL cannot store is nobody's. It becomes another that is nobody's, and may be looked up. */
function readParams(params: Record<string, string | undefined>): Request['params'] {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, value === undefined ? value : storableText(value)]),
  );
}

/** Same trace, our own span (W3C Trace Context, section 4). An id from UUIDs is random enough for a trace. */
function continueTrace(given: string | undefined, newId: () => string): string {
  const hex = () => newId().replaceAll('-', '');
  const [, traceId = hex(), flags = '01'] = TRACEPARENT.exec(given ?? '') ?? [];
  // The last digits: a UUIDv7 starts with the time.
  return `00-${traceId}-${hex().slice(-16)}-${flags}`;
}

const UNKNOWN_FIELD = 'is not a known field';
/** Names that valibot passes over, as if they were not there. */
const PASSED_OVER = ['constructor', 'prototype'];

/** An object with these fields and no others; unknown fields are reported, not just the first. */
export function exactly<T extends v.ObjectEntries>(entries: T) {
  return v.objectWithRest(entries, v.never(UNKNOWN_FIELD), 'must be a JSON object');
}

/**
 * The body by its schema.
 * @throws DomainError `unsupported_media_type`, `payload_too_large`, `invalid_json`, or `invalid_request` with
 * every problem at once
 */
export function parseBody<T extends v.GenericSchema>(request: Request, schema: T): v.InferOutput<T> {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new DomainError('unsupported_media_type', { detail: 'Send content-type: application/json' });
  }
  if (request.rawBody.length > MAX_BODY_BYTES) {
    throw new DomainError('payload_too_large', { detail: `At most ${MAX_BODY_BYTES} bytes` });
  }
  const json = parseJson(request.rawBody);
  return check(schema, json);
}

/** The query string by its schema. @throws DomainError `invalid_request` */
export function parseQuery<T extends v.GenericSchema>(request: Request, schema: T): v.InferOutput<T> {
  return check(schema, request.query);
}

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1), or null where there is none. */
export function bearerToken(request: Request): string | null {
  const header = request.headers['authorization'];
  if (header === undefined) return null;
  // Another scheme is no token that could be valid: the empty one never is.
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header)?.[1] ?? '';
}

const MAX_IDEMPOTENCY_KEY = 255;

/** The `Idempotency-Key`, or null where there is none. @throws DomainError `invalid_request` */
export function idempotencyKey(request: Request): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (key.length === 0 || characters(key) > MAX_IDEMPOTENCY_KEY) {
    const message = `must have 1 to ${MAX_IDEMPOTENCY_KEY} characters`;
    throw invalidRequest([{ path: 'idempotency-key', message }]);
  }
  return key;
}

export function invalidRequest(errors: FieldError[]): DomainError {
  return new DomainError('invalid_request', { detail: 'See errors for what to change', errors });
}

function parseJson(body: Buffer): unknown {
  try {
    // Fatal: bytes that are no UTF-8 are no JSON either (RFC 8259, section 8.1), and must not become U+FFFD.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new DomainError('invalid_json');
  }
}

function check<T extends v.GenericSchema>(schema: T, input: unknown): v.InferOutput<T> {
  const unstorable = findUnstorable(input);
  if (unstorable.length > 0) throw invalidRequest(unstorable);
  const passedOver = PASSED_OVER.filter((name) => isObject(input) && Object.hasOwn(input, name));
  const result = v.safeParse(schema, input);
  if (result.success && passedOver.length === 0) return result.output;
  throw invalidRequest([
    ...passedOver.map((path) => ({ path, message: UNKNOWN_FIELD })),
    // Cut before anything is built: 64 KiB have room for thousands of problems.
    ...(result.issues ?? []).slice(0, MAX_ERRORS - passedOver.length).map((issue) => ({
      path: cutPath(v.getDotPath(issue) ?? ''),
      message: issue.input === undefined && issue.expected !== 'never' ? 'is required' : issue.message,
    })),
  ]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
