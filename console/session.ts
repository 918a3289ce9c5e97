import type { NewAccessToken, Problem } from './types';

/** An error response of the API. `message` says what is wrong and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}`);
  }
}

interface Access {
  token: string;
  expiresAt: number;
}

/** In memory only: what a script could read from storage, an injected one could steal. */
let access: Access | null = null;
let refreshing: Promise<boolean> | undefined;
let onEnd = () => {};

/** Called when the session has ended without being asked to. */
export function whenSessionEnds(callback: () => void): void {
  onEnd = callback;
}

/** The second step of a login. A code of six digits is an authenticator app's, any other a recovery code. @throws ApiError */
export async function sendCode(factorToken: string, code: string): Promise<void> {
  const type = /^\d{3}\s?\d{3}$/.test(code) ? 'totp' : 'recovery_code';
  const response = await send('POST', 'console/session/factor', { factorToken, type, code });
  keep(await read<NewAccessToken>(response));
}

/** @throws ApiError, with a `factorToken` if a code is needed too */
export async function logIn(name: string, password: string): Promise<void> {
  const who = name.includes('@') ? { email: name } : { username: name };
  const response = await send('POST', 'console/session', { ...who, password });
  keep(await read<NewAccessToken>(response));
}

export async function logOut(): Promise<void> {
  if (access) await send('DELETE', 'console/session', undefined, access.token).catch(() => {});
  access = null;
}

/** Continues the session that the browser's cookie has. @returns false if there is none */
export function refresh(): Promise<boolean> {
  refreshing ??= (async () => {
    const response = await send('POST', 'console/session/refresh');
    if (response.status !== 200) return false;
    keep(await read<NewAccessToken>(response));
    return true;
  })().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

export interface RequestOptions {
  body?: unknown;
  /** The version that the change is based on, sent as `If-Match`. */
  version?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A request with the access token, which is renewed when it has expired.
 * @throws ApiError, or TypeError if the server cannot be reached
 */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  if (access && access.expiresAt < Date.now()) await refresh();
  let response = await send(method, path, options.body, access?.token, options);
  if (response.status === 401 && (await isExpired(response))) {
    if (await refresh()) response = await send(method, path, options.body, access?.token, options);
    else {
      access = null;
      onEnd();
    }
  }
  return read<T>(response);
}

async function isExpired(response: Response): Promise<boolean> {
  const { code }: Partial<Problem> = await response.clone().json();
  return code === 'unauthorized';
}

function keep({ accessToken, expiresIn }: NewAccessToken): void {
  // A little earlier, so that it does not expire on its way.
  access = { token: accessToken, expiresAt: Date.now() + (expiresIn - 10) * 1000 };
}

/** Paths are relative to the page, so that the console also works if the API is served below a path. */
function send(
  method: string,
  path: string,
  body?: unknown,
  token?: string,
  { version, signal }: RequestOptions = {},
): Promise<Response> {
  return fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = text && isJson ? JSON.parse(text) : undefined;
  if (!response.ok) throw new ApiError(response.status, body ?? {});
  return body;
}
