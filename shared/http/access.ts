import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Permission } from '../roles/permissions';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import { authenticate, authenticateOptional, type Caller } from '../sessions/authenticate';
import { bearerToken, type Request } from './request';

/** The result of authentication and authorization. */
export interface Identified {
  caller: Caller | null;
}

/** Who may call an endpoint. The wrapper checks it and the OpenAPI document states it, so the two cannot differ. */
export interface Access<C, Who extends Identified> {
  /** `optional`: a token may be omitted, but must be valid if sent. */
  readonly auth: 'none' | 'optional' | 'bearer';
  /** The permission that the caller needs; with `orSelf`, only to act on other users. */
  readonly permission?: Permission;
  readonly orSelf?: true;
  /** The access token must be from a recent authentication. */
  readonly recent?: true;
  /** @throws DomainError `unauthorized` or `forbidden` */
  identify(ctx: C, request: Request): Promise<Who>;
}

export const anyone: Access<unknown, { caller: null }> = {
  auth: 'none',
  identify: async () => ({ caller: null }),
};

/** Anyone, if sign-in by mail is on. Decided before anything else: whatever is sent, the answer is the same. */
export const anyoneByMail: Access<Context, { caller: null }> = {
  auth: 'none',
  identify: async ({ config }) => {
    if (config.hasEmailLogin) return { caller: null };
    throw new DomainError('not_found', { detail: 'Sign-in by mail is off. EMAIL_LOGIN=on turns it on' });
  },
};

/** Anonymous callers and callers with a valid token. */
export const optionalCaller: Access<Context, { caller: Caller | null }> = {
  auth: 'optional',
  identify: async (ctx, request) => {
    const caller = await authenticateOptional(ctx, bearerToken(request));
    if (caller) assertFactor(caller);
    return { caller };
  },
};

/** Also callers whose role requires a second factor that they lack: to set one up, they have to know who they are. */
export const anyCaller: Access<Context, { caller: Caller }> = {
  auth: 'bearer',
  identify: async (ctx, request) => ({ caller: await authenticate(ctx, bearerToken(request)) }),
};

/**
 * Browsers on a page of this service. A browser sends a cookie along with whatever page makes the request, so its `Origin`
 * decides, which no page can choose (Fetch standard, section 3.2).
 */
export const ownPage: Access<Context, { caller: null; cookies: Request['cookies'] }> = {
  auth: 'none',
  identify: async (ctx, request) => {
    assertOwnPage(ctx, request);
    return { caller: null, cookies: request.cookies };
  },
};

/** Callers on a page of this service. */
export const callerOnOwnPage: Access<Context, { caller: Caller }> = {
  auth: 'bearer',
  identify: async (ctx, request) => {
    assertOwnPage(ctx, request);
    const caller = await authenticate(ctx, bearerToken(request));
    assertFactor(caller);
    return { caller };
  },
};

/** @throws DomainError `forbidden` for a request that no page of this service made */
function assertOwnPage({ config }: Context, { headers }: Request): void {
  const { origin = '', host } = headers;
  const isOwn =
    URL.canParse(origin) &&
    (new URL(origin).host === host || origin === new URL(config.mail.publicUrl).origin);
  if (!isOwn) throw new DomainError('forbidden', { detail: 'Only the pages of this service may do that' });
}

export const permission = (needed: Permission): Access<Context, { caller: Caller }> => ({
  auth: 'bearer',
  permission: needed,
  identify: async (ctx, request) => {
    const caller = await authenticate(ctx, bearerToken(request));
    authorize(caller, needed);
    return { caller };
  },
});

/** In addition, the access token must be from a recent authentication: a stolen one must not be enough. */
export const recently = <Who extends { caller: Caller }>(
  access: Access<Context, Who>,
): Access<Context, Who> => ({
  ...access,
  recent: true,
  identify: async (ctx, request) => {
    const who = await access.identify(ctx, request);
    assertRecentAuthentication(ctx, who.caller);
    return who;
  },
});

/**
 * For paths with a user's `{id}`. `userId` is that user's id, with `me` resolved.
 * @param options `settingUp`: users may do it to themselves before they have the second factor that their role requires
 */
export const selfOr = (
  needed: Permission,
  { settingUp = false } = {},
): Access<Context, { caller: Caller; userId: string }> => ({
  auth: 'bearer',
  permission: needed,
  orSelf: true,
  identify: async (ctx, request) => {
    const caller = await authenticate(ctx, bearerToken(request));
    const { id = '' } = request.params;
    if (isSelf(caller, id)) {
      if (!settingUp) assertFactor(caller);
      return { caller, userId: caller.user.id };
    }
    authorize(caller, needed);
    return { caller, userId: id };
  },
});

/**
 * For paths with the `{id}` of a record that belongs to a user. Whose it is, the flow finds out; `mayForOthers` says whether it
 * may be another's.
 */
export const ownerOr = (
  needed: Permission,
): Access<Context, { caller: Caller; id: string; mayForOthers: boolean }> => ({
  auth: 'bearer',
  permission: needed,
  orSelf: true,
  identify: async (ctx, request) => {
    const caller = await authenticate(ctx, bearerToken(request));
    assertFactor(caller);
    const { id = '' } = request.params;
    return { caller, id, mayForOthers: caller.permissions.has(needed) };
  },
});

/**
 * For paths with a user's `{id}`, which is the caller's.
 * @param options `settingUp`: also before they have the second factor that their role requires
 */
export const self = ({ settingUp = false } = {}): Access<Context, { caller: Caller }> => ({
  auth: 'bearer',
  orSelf: true,
  identify: async (ctx, request) => {
    const caller = await authenticate(ctx, bearerToken(request));
    const { id = '' } = request.params;
    if (!isSelf(caller, id)) throw new DomainError('forbidden', { detail: 'Only for your own user' });
    if (!settingUp) assertFactor(caller);
    return { caller };
  },
});

const isSelf = ({ user }: Caller, id: string) => id === 'me' || id.toLowerCase() === user.id;

/** @throws DomainError `second_factor_setup_required` if the role requires a second factor and the session has none */
function assertFactor({ mustSetUpFactor }: Caller): void {
  if (!mustSetUpFactor) return;
  throw new DomainError('second_factor_setup_required', {
    detail:
      'Set up a second factor (POST /users/me/passkeys/options, POST /users/me/totp). If you have one, log in again with it',
  });
}

/**
 * @throws DomainError `second_factor_setup_required` or `forbidden`, before any lookup, so that the error does not reveal
 * whether a record exists
 */
function authorize(caller: Caller, needed: Permission): void {
  assertFactor(caller);
  if (caller.permissions.has(needed)) return;
  throw new DomainError('forbidden', { detail: `Requires the permission ${needed}` });
}
