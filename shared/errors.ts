/** Every error that a client can see, by its stable code: the HTTP status, and the title of its problem details. */
const ERRORS = {
  invalid_token: { status: 400, title: 'The token is wrong, used or expired' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  unauthorized: { status: 401, title: 'Authentication is required' },
  reauthentication_required: { status: 401, title: 'A more recent authentication is required' },
  invalid_credentials: { status: 401, title: 'Wrong username, e-mail address or password' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is not valid' },
  refresh_token_reused: { status: 401, title: 'The refresh token was used before' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  username_taken: { status: 409, title: 'The username is taken' },
  email_taken: { status: 409, title: 'The e-mail address is taken' },
  role_in_use: { status: 409, title: 'Users hold this role' },
  built_in_role: { status: 409, title: 'The built-in roles are fixed' },
  webhook_disabled: { status: 409, title: 'The webhook is disabled' },
  last_admin: { status: 409, title: 'The last administrator has to stay one' },
  not_redrivable: { status: 409, title: 'The dead letter cannot be sent again' },
  version_mismatch: { status: 412, title: 'The record has changed since it was read' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_request: { status: 422, title: 'The request is not valid' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used with another body' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'The service is not available right now' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with the input: where (`metadata.plan`, or empty for the whole body), and what. */
export interface FieldError {
  path: string;
  message: string;
}

export interface ErrorDetails {
  /** Shown to the client: never an internal message. */
  detail?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
}

/** An outcome that the client should hear about. Everything else that is thrown becomes `internal_error`. */
export class DomainError extends Error {
  /** @param options the cause, which is for the log alone */
  constructor(
    readonly code: ErrorCode,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(details.detail ?? ERRORS[code].title, options);
    this.name = 'DomainError';
  }
}

export function errorCodes(): ErrorCode[] {
  return Object.keys(ERRORS) as ErrorCode[];
}

export function statusOf(code: ErrorCode): number {
  return ERRORS[code].status;
}

export function titleOf(code: ErrorCode): string {
  return ERRORS[code].title;
}

/** For a handler to throw where no further attempt can help: the event becomes a dead letter at once. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}
