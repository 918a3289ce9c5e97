import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type DomainError, statusOf, titleOf } from '../errors';
import type { Reply } from './reply';
import type { Request } from './request';

/** An error as problem details (RFC 9457). */
export function problemReply(error: DomainError, requestId: string): Reply {
  const { detail, errors, headers, members } = error.details;
  return {
    status: statusOf(error.code),
    body: {
      type: `urn:rollcall:error:${error.code}`,
      title: titleOf(error.code),
      status: statusOf(error.code),
      detail: detail ?? titleOf(error.code),
      code: error.code,
      requestId,
      ...(errors && { errors }),
      ...members,
    },
    headers: { ...headers, 'content-type': 'application/problem+json' },
  };
}

/** One year, for the host and its subdomains. */
const STRICT_TRANSPORT = 'max-age=31536000; includeSubDomains';

/** Converts a reply to API Gateway's format and adds the headers that every response has. */
export function toResult(
  request: Request,
  reply: Reply,
  headers: Record<string, string> = {},
): APIGatewayProxyStructuredResultV2 {
  const { body, isBase64Encoded } = toBody(reply.body);
  return {
    statusCode: reply.status,
    headers: {
      // Most responses contain tokens or personal data. Public documents override this.
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Must not be sent over plain HTTP, as in `npm start` (RFC 6797, section 7.2).
      ...(request.headers['x-forwarded-proto'] === 'https' && {
        'strict-transport-security': STRICT_TRANSPORT,
      }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'x-request-id': request.requestId,
      ...headers,
      ...reply.headers,
      // HEAD has the headers of GET without its content (RFC 9110, sections 8.6 and 9.3.2).
      ...(request.method === 'HEAD' &&
        body !== undefined && { 'content-length': String(sizeOf(body, isBase64Encoded)) }),
    },
    ...(reply.cookies && { cookies: reply.cookies }),
    ...(request.method !== 'HEAD' &&
      body !== undefined && { body, ...(isBase64Encoded && { isBase64Encoded }) }),
  };
}

function toBody(body: unknown): { body?: string; isBase64Encoded?: boolean } {
  if (body === undefined) return {};
  if (Buffer.isBuffer(body)) return { body: body.toString('base64'), isBase64Encoded: true };
  return { body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function sizeOf(body: string, isBase64Encoded = false): number {
  return Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8');
}
