/** Every error that a client can get, by its stable code: HTTP status and title of the problem details. */
const ERRORS = {
  invalid_token: { status: 400, title: 'The token is invalid, used or expired' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  unauthorized: { status: 401, title: 'Authentication is required' },
  reauthentication_required: { status: 401, title: 'A more recent authentication is required' },
  invalid_credentials: { status: 401, title: 'Wrong username, email address or password' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is not valid' },
  second_factor_required: { status: 401, title: 'A second factor is required' },
  invalid_assertion: { status: 401, title: 'The passkey was not accepted' },
  invalid_code: { status: 401, title: 'The code is wrong, used or expired' },
  refresh_token_reused: { status: 401, title: 'The refresh token was used before' },
  forbidden: { status: 403, title: 'Forbidden' },
  second_factor_setup_required: { status: 403, title: 'The role requires a second factor' },
  user_suspended: { status: 403, title: 'The account is suspended' },
  not_found: { status: 404, title: 'Not found' },
  username_taken: { status: 409, title: 'The username is taken' },
  email_taken: { status: 409, title: 'The email address is taken' },
  role_in_use: { status: 409, title: 'The role is assigned to users' },
  built_in_role: { status: 409, title: 'Built-in roles cannot be changed or deleted' },
  webhook_disabled: { status: 409, title: 'The webhook is disabled' },
  holder_awaited: { status: 409, title: 'An open case awaits an answer of the data holder' },
  export_pending: { status: 409, title: 'The export is not ready yet' },
  last_sign_in_method: { status: 409, title: 'The user would have no way left to sign in' },
  last_admin: { status: 409, title: 'The last administrator cannot be demoted, suspended or deleted' },
  no_second_factor: { status: 409, title: 'The user has no second factor' },
  too_many_factors: { status: 409, title: 'The user has too many second factors' },
  passkey_taken: { status: 409, title: 'The passkey is registered already' },
  not_redrivable: { status: 409, title: 'The dead letter cannot be redriven' },
  version_mismatch: { status: 412, title: 'The record has changed since it was read' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_request: { status: 422, title: 'The request is not valid' },
  invalid_passkey: { status: 422, title: 'The passkey cannot be registered' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used with a different body' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'The service is temporarily unavailable' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One problem with the input. `path` is the field (`metadata.plan`), or empty for the whole body. */
export interface FieldError {
  path: string;
  message: string;
}

export interface ErrorDetails {
  /** Sent to the client: must never contain an internal message. */
  detail?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
  /** Further members of the problem details (RFC 9457, section 3.2). */
  members?: Record<string, unknown>;
}

/** An error that is reported to the client. Every other error becomes `internal_error`. */
export class DomainError extends Error {
  /** @param options the cause, which is only logged */
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

/** Thrown by handlers when a retry cannot succeed: the event becomes a dead letter at once. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}
