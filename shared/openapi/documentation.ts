import type * as v from 'valibot';
import type { ErrorCode } from '../errors';

/**
 * What the OpenAPI document says about a function that its definition does not: only what cannot be derived. Who may call
 * it and what it takes are in the definition, and bring their own errors (scripts/openapi/errors.ts). Nothing reads this
 * at run time, and no bundle carries it.
 */
export interface Documentation {
  summary: string;
  description?: string;
  /** Where the definition's schema depends on the configuration: as it is by default. */
  body?: v.GenericSchema;
  /** A body that works, for those who try it out. */
  example?: Record<string, unknown>;
  /** By status. */
  replies: Readonly<Record<number, ReplyDescription>>;
  /** Beyond those that follow from the rest. */
  errors?: readonly ErrorCode[];
}

export type ResponseHeader = 'etag' | 'location' | 'cache-control' | 'content-security-policy';

export interface ReplyDescription {
  description: string;
  /** None: no body. */
  body?: v.GenericSchema;
  /** JSON where it is left out. */
  contentType?: string;
  headers?: readonly ResponseHeader[];
}
