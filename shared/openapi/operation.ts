import type * as v from 'valibot';
import type { ErrorCode } from '../errors';
import type { Permission } from '../roles/permissions';

/**
 * What the OpenAPI document says about a function, beside its code. Only what cannot be derived is said: a body, a query,
 * authentication, a parameter in the path and a conditional header each bring their own errors
 * (scripts/openapi/errors.ts). Nothing reads it at run time, and no bundle carries it.
 */
export interface Operation {
  summary: string;
  description?: string;
  /** `optional`: goes without a token, but one that is sent has to be valid. */
  auth: 'none' | 'optional' | 'bearer';
  /** What the caller needs; `orSelf`: for others than themselves. */
  permission?: Permission;
  orSelf?: true;
  /** The schema it is parsed with; `v.optional` of it where the request may come without. */
  body?: v.GenericSchema;
  /** A body that works, for those who try it out. */
  example?: Record<string, unknown>;
  query?: v.GenericSchema;
  /** Request headers that it heeds, beyond those that all do. */
  headers?: readonly RequestHeader[];
  /** By status. */
  replies: Readonly<Record<number, ReplyDescription>>;
  /** Beyond those that follow from the rest. */
  errors?: readonly ErrorCode[];
}

export type RequestHeader = 'if-match' | 'if-none-match' | 'idempotency-key';

export type ResponseHeader = 'etag' | 'location' | 'cache-control' | 'content-security-policy';

export interface ReplyDescription {
  description: string;
  /** None: no body. */
  body?: v.GenericSchema;
  /** JSON where it is left out. */
  contentType?: string;
  headers?: readonly ResponseHeader[];
}
