import type * as v from 'valibot';
import type { ErrorCode } from '../errors';

/**
 * The part of an operation's OpenAPI documentation that cannot be derived from its definition. Access, parameters and body
 * come from the definition, and their errors follow from it (scripts/openapi/errors.ts). Bundles do not contain it.
 */
export interface Documentation {
  summary: string;
  description?: string;
  /** Summaries of further routes which are no aliases of the first. */
  otherRoutes?: Readonly<Record<string, string>>;
  /** The schema under the default configuration, if the definition's schema depends on the configuration. */
  body?: v.GenericSchema;
  /** A valid body for trying out the operation. */
  example?: Record<string, unknown>;
  /** By status. */
  replies: Readonly<Record<number, ReplyDescription>>;
  /** Errors in addition to those that follow from the definition. */
  errors?: readonly ErrorCode[];
}

export type ResponseHeader =
  | 'etag'
  | 'location'
  | 'cache-control'
  | 'content-disposition'
  | 'content-security-policy'
  | 'set-cookie';

export interface ReplyDescription {
  description: string;
  body?: v.GenericSchema;
  /** Default: JSON. */
  contentType?: string | readonly string[];
  headers?: readonly ResponseHeader[];
}

/** Of a registration, and of its replay, which is a login. */
export const REGISTRATION_ERRORS = [
  'reauthentication_required',
  'username_taken',
  'email_taken',
  'second_factor_required',
  'user_suspended',
] as const satisfies ErrorCode[];
