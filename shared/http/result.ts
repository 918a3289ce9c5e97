import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type DomainError, statusOf, titleOf } from '../errors';
import type { Reply } from './reply';
import type { Request } from './request';

/** An error as problem details (RFC 9457). */
export function problemReply(error: DomainError, requestId: string): Reply {
  const { detail, errors, headers } = error.details;
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
    },
    headers: { ...headers, 'content-type': 'application/problem+json' },
  };
}

/** A year, as RFC 6797 suggests at least, for the host and what is below it. */
const STRICT_TRANSPORT = 'max-age=31536000; includeSubDomains';

/** A reply in the form that API Gateway takes from Lambda, with the headers that every answer has. */
export function toResult(
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
