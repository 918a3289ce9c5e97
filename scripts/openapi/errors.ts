import { type ErrorCode, statusOf, titleOf } from '../../shared/errors';
import type { Operation } from './operation';
import { headerRefs } from './parameters';

/** All errors that an operation may return: the documented ones, and those that follow from its definition. */
export function errorsOf(operation: Operation, path: string): ErrorCode[] {
  const { auth, permission, orSelf, recent, body, query, headers, limited, replies, errors = [] } = operation;
  // An operation that creates a missing record does not answer 404.
  // Nor does one whose only record is the caller.
  const isOwn = permission === undefined && orSelf && path.indexOf('{') === path.lastIndexOf('{');
  const mayMiss = path.includes('{') && !(201 in replies) && !isOwn;
  return [
    ...new Set<ErrorCode>([
      ...(body
        ? (['invalid_json', 'payload_too_large', 'unsupported_media_type', 'invalid_request'] as const)
        : []),
      ...(query ? (['invalid_request'] as const) : []),
      ...(auth === 'none' ? [] : (['unauthorized'] as const)),
      ...(permission || auth === 'optional' ? (['forbidden', 'second_factor_setup_required'] as const) : []),
      ...(recent ? (['reauthentication_required'] as const) : []),
      ...(mayMiss ? (['not_found'] as const) : []),
      ...(headers.includes('if-match') ? (['version_mismatch'] as const) : []),
      ...(headers.includes('idempotency-key') ? (['idempotency_key_reused'] as const) : []),
      ...(limited ? (['rate_limited'] as const) : []),
      ...errors,
      'internal_error',
      // Requests with authentication or a body need the database. The few others return documents and pages.
      ...(auth !== 'none' || body ? (['unavailable'] as const) : []),
    ]),
  ];
}

/** The codes of one status, which make one response of the document. */
export interface ErrorGroup {
  name: string;
  status: number;
  codes: ErrorCode[];
}

export function groupByStatus(codes: ErrorCode[]): ErrorGroup[] {
  const statuses = [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
  return statuses.map((status) => {
    const group = codes.filter((code) => statusOf(code) === status).sort();
    return { name: group.join('_or_'), status, codes: group };
  });
}

export function errorResponse({ status, codes }: ErrorGroup) {
  return {
    description: codes.map((code) => `\`${code}\`: ${titleOf(code)}`).join('\n\n'),
    headers: headerRefs([
      'x-request-id',
      ...(codes.includes('unauthorized') ? (['www-authenticate'] as const) : []),
      ...(codes.includes('version_mismatch') ? (['etag'] as const) : []),
      ...(codes.includes('rate_limited') || codes.includes('unavailable') ? (['retry-after'] as const) : []),
    ]),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }],
          properties: { status: { const: status }, code: { enum: codes } },
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: ErrorCode) {
  return {
    type: `urn:rollcall:error:${code}`,
    title: titleOf(code),
    status: statusOf(code),
    detail: titleOf(code),
    code,
    requestId: '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b',
    ...(code === 'user_suspended' && { until: '2027-01-01T00:00:00.000Z' }),
    ...(code === 'second_factor_required' && { factorToken: '…', factors: ['totp', 'recovery_code'] }),
    ...(code === 'invalid_request' && { errors: [{ path: 'name', message: 'is required' }] }),
  };
}
