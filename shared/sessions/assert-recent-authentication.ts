import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Caller } from './authenticate';
import { contextClassOf, isMultiFactor } from './proof';

/**
 * Requires an access token whose `auth_time` is recent, for operations that a stolen token must not be enough for. The
 * challenge follows RFC 9470, section 3. From users with a second factor, it must be of a session that has proven one: a
 * login by the password alone, just before the factor was set up, may be a thief's.
 * @throws DomainError `reauthentication_required`
 */
export function assertRecentAuthentication(ctx: Context, caller: Caller): void {
  const { reauthSeconds } = ctx.config.tokens;
  const lacksFactor = caller.hasFactor && !isMultiFactor(caller.amr);
  const provenAt = (lacksFactor ? null : caller.provenAt)?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (ctx.now().getTime() - provenAt < reauthSeconds * 1000) return;
  throw new DomainError('reauthentication_required', {
    detail:
      'Send the password, a code of your second factor or a passkey to POST /step-up, and repeat the request with the access token from its response',
    headers: {
      'www-authenticate': `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="${reauthSeconds}"${lacksFactor ? `, acr_values="${contextClassOf(['mfa'])}"` : ''}`,
    },
  });
}
