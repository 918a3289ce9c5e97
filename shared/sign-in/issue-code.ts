import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { isUnusedToken, lockActiveSession } from '../sessions/refresh-token-store';
import { insertSignInCode } from '../sessions/sign-in-code-store';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { isReturnTarget } from './return-target';

/** An app exchanges the code at once, so it needs no more (RFC 6749, section 4.1.2, allows ten minutes). */
const CODE_MS = 60_000;

/** For what a hosted page asks for a code. */
export interface CodeRequest {
  refreshToken: string;
  returnTo: string;
  codeChallenge: string | null;
}

/**
 * Issues a code by which an app takes over the caller's session, bound to the URL to return to and to the challenge (RFC
 * 7636). The page proves with the session's refresh token that it is the page that has opened it.
 * @throws DomainError `invalid_request` for a URL that is not in RETURN_URLS, `invalid_refresh_token` for another token than
 * the session's unused one, or `reauthentication_required` if the session was opened long ago
 */
export async function issueCode(ctx: Context, caller: Caller, request: CodeRequest): Promise<string> {
  const { refreshToken, returnTo, codeChallenge } = request;
  if (!isReturnTarget(ctx.config, returnTo)) {
    throw new DomainError('invalid_request', {
      errors: [{ path: 'returnTo', message: 'must be one of RETURN_URLS, exactly' }],
    });
  }
  assertRecentAuthentication(ctx, caller);
  const { sessionId } = caller;
  const code = newOpaqueToken();
  const tokenHash = hashToken(refreshToken);
  const now = ctx.now();
  await ctx.db.transaction().execute(async (tx) => {
    const session = await lockActiveSession(tx, sessionId, now);
    if (!session || !(await isUnusedToken(tx, sessionId, tokenHash)))
      throw new DomainError('invalid_refresh_token');
    const bound = { sessionId, tokenHash, returnTo, codeChallenge };
    await insertSignInCode(tx, hashToken(code), bound, new Date(now.getTime() + CODE_MS));
  });
  return code;
}
