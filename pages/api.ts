import type * as v from 'valibot';
import type * as schemas from '../shared/openapi/schemas';

type Body<S extends v.GenericSchema> = v.InferOutput<S>;
export type Problem = Body<typeof schemas.Problem>;
export type Session = Pick<Body<typeof schemas.LoggedIn>, 'accessToken' | 'refreshToken'>;
export type SignInCode = Body<typeof schemas.SignInCode>;
export type NewTotp = Body<typeof schemas.NewTotp>;
export type RecoveryCodes = Body<typeof schemas.RecoveryCodes>;

/** An error response of the API. `message` says what is wrong and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}`);
  }
}

/** The code of an error response, if it is one. */
export const codeOf = (error: unknown) => (error instanceof ApiError ? error.problem.code : undefined);

/**
 * Paths are relative to the page, so that it also works if the API is served below a path.
 * @throws ApiError, or TypeError if the server cannot be reached
 */
export async function post<T = unknown>(
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return readResponse<T>(response);
}

export const bearer = ({ accessToken }: Session) => ({ authorization: `Bearer ${accessToken}` });

/** @throws ApiError */
export async function readResponse<T>(response: Response): Promise<T> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = text && isJson ? JSON.parse(text) : undefined;
  if (!response.ok) throw new ApiError(response.status, body ?? {});
  return body;
}
