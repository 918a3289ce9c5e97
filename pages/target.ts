import { bearer, post, type Session, type SignInCode } from './api';

const query = new URLSearchParams(location.search);

/** Where the app wants people to go after the login, and what it wants back. */
export interface Target {
  returnTo: string;
  state: string | null;
  codeChallenge: string | null;
}

/** Null: nowhere. */
export const target: Target | null = query.has('return_to')
  ? {
      returnTo: query.get('return_to') ?? '',
      state: query.get('state'),
      codeChallenge: query.get('code_challenge'),
    }
  : null;

export const isForConsole = target?.returnTo === 'console';

/** A link to another hosted page that keeps the target. The fragment is the console's, which is where it goes on. */
export function linkTo(page: string): string {
  const kept = ['return_to', 'state', 'code_challenge'].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  });
  const search = new URLSearchParams(kept).toString();
  return `${page}${search && `?${search}`}${location.hash}`;
}

/**
 * Hands the session to the app and goes there.
 * @returns the URL, which a browser may refuse to go to by itself if it is of an app
 * @throws ApiError, with `second_factor_setup_required` if the user has to set one up first
 */
export async function goToTarget(
  session: Session,
  { returnTo, state, codeChallenge }: Target,
): Promise<string> {
  const request = {
    refreshToken: session.refreshToken,
    returnTo,
    ...(codeChallenge !== null && { codeChallenge }),
  };
  const issued = await post<SignInCode>('login/code', request, bearer(session));
  // Exchanged here, so that there is no code in the console's URL, which anybody could link to.
  if (isForConsole) await post('console/session', { code: issued.code });
  // Use the URL in the response, which the service took from its list. The one in this page's address is unchecked input.
  const url = isForConsole ? `console${location.hash}` : withAnswer(issued.returnTo, issued.code, state);
  location.replace(url);
  return url;
}

/** Appends to the text of the URL, so that its own query stays as it is. It has no fragment. */
function withAnswer(url: string, code: string, state: string | null): string {
  const answer = `code=${encodeURIComponent(code)}${state === null ? '' : `&state=${encodeURIComponent(state)}`}`;
  return `${url}${url.includes('?') ? '&' : '?'}${answer}`;
}

/**
 * The token of a link in a mail. It leaves the address bar at once, so that it stays neither in the history nor on the
 * screen.
 */
export function takeToken(): string | null {
  const token = query.get('token');
  if (token !== null) history.replaceState(null, '', location.pathname);
  return token;
}
