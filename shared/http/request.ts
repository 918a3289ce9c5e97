import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { storableText } from '../storable';
import { clientAddress } from './client-address';

/** A request in the form that functions use, independent of the gateway's format. */
export interface Request {
  method: string;
  path: string;
  params: Record<string, string | undefined>;
  query: Record<string, string | undefined>;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  cookies: Record<string, string | undefined>;
  rawBody: Buffer;
  requestId: string;
  /** W3C Trace Context: continues the caller's trace or starts a new one. */
  traceparent: string;
  address: string | null;
  userAgent: string | null;
}

const VALID_REQUEST_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;
const MAX_USER_AGENT = 512;

/** @param trustedProxies the networks of proxies whose `X-Forwarded-For` is trusted */
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
    // serverless-offline leaves them in the header.
    cookies: readCookies(event.cookies ?? headers['cookie']?.split(';') ?? []),
    rawBody: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    requestId: givenId && VALID_REQUEST_ID.test(givenId) ? givenId : newId(),
    traceparent: continueTrace(headers['traceparent'], newId),
    address: clientAddress(http.sourceIp, headers['x-forwarded-for'], trustedProxies),
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
  };
}

/**
 * The gateway has taken the header apart. Of cookies with the same name, the first has the most specific path (RFC 6265,
 * section 5.4).
 */
function readCookies(pairs: string[]): Request['cookies'] {
  const read = pairs.map((pair): [string, string] => {
    const [name = '', ...value] = pair.split('=');
    return [name.trim(), value.join('=').trim()];
  });
  return Object.fromEntries(read.reverse());
}

/** PostgreSQL rejects some characters. Replacing them keeps the lookup safe: it finds nothing, as it should. */
function readParams(params: Record<string, string | undefined>): Request['params'] {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, value === undefined ? value : storableText(value)]),
  );
}

/** Keeps the trace id and starts a new span (W3C Trace Context, section 4). UUIDs are random enough for both ids. */
function continueTrace(given: string | undefined, newId: () => string): string {
  const hex = () => newId().replaceAll('-', '');
  const [, traceId = hex(), flags = '01'] = TRACEPARENT.exec(given ?? '') ?? [];
  // The last digits, because a UUIDv7 starts with the time.
  return `00-${traceId}-${hex().slice(-16)}-${flags}`;
}

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1), or null without the header. */
export function bearerToken(request: Request): string | null {
  const header = request.headers['authorization'];
  if (header === undefined) return null;
  // Another scheme yields an empty token, which is never valid.
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header)?.[1] ?? '';
}
