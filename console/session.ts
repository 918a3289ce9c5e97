import { ApiError, codeOf, readResponse } from '../pages/api';
import type { NewAccessToken } from './types';

export { ApiError };

interface Access {
  token: string;
  expiresAt: number;
}

/** In memory only: what a script could read from storage, an injected one could steal. */
let access: Access | null = null;
let refreshing: Promise<boolean> | undefined;
let onEnd = () => {};

/** Sets what happens when the session ends and nobody has signed out. */
export function whenSessionEnds(callback: () => void): void {
  onEnd = callback;
}

let askForProof = async () => false;

/** Sets who asks for a recent proof when a request needs one. The callback returns whether the user gave it. */
export function whenProofIsNeeded(callback: () => Promise<boolean>): void {
  askForProof = callback;
}

/** To the page where everybody signs in. It comes back to the same view, because the fragment goes along. */
export function goToSignIn(): void {
  location.replace(`sign-in?return_to=console${location.hash}`);
}

/** Proves the user's identity again, for requests that need a recent proof. @throws ApiError */
export async function stepUp(proof: object): Promise<void> {
  keep(await request<NewAccessToken>('POST', 'step-up', { body: proof }));
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
    keep(await readResponse<NewAccessToken>(response));
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
  const attempt = () => send(method, path, options.body, access?.token, options);
  try {
    return await readResponse<T>(await attempt());
  } catch (error) {
    const code = codeOf(error);
    const mayRepeat =
      (code === 'unauthorized' && (await refreshOrEnd())) ||
      (code === 'reauthentication_required' && (await askForProof()));
    if (!mayRepeat) throw error;
    return readResponse<T>(await attempt());
  }
}

/** @returns whether the session goes on */
async function refreshOrEnd(): Promise<boolean> {
  if (await refresh()) return true;
  access = null;
  onEnd();
  return false;
}

function keep({ accessToken, expiresIn }: NewAccessToken): void {
  // Renewed 10 s early, so that it does not expire while a request is on its way.
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
