import type { Context } from '../context/context';
import { HOLDER_KEY_PREFIX } from '../erasure/data-holder';
import { findHolderByKey } from '../erasure/data-holder-store';
import { DomainError } from '../errors';
import type { Permission } from '../roles/permissions';
import type { Caller } from '../sessions/authenticate';
import { hashToken } from '../tokens/opaque-token';
import { type Access, permission } from './access';
import { bearerToken } from './request';

/** For a data holder with its key, which names it, and for administrators, who answer for one that cannot. */
export const holderOr = (
  needed: Permission,
): Access<Context, { caller: Caller | null; holder: string | null }> => ({
  auth: 'bearer',
  permission: needed,
  identify: async (ctx, request) => {
    const token = bearerToken(request);
    if (!token?.startsWith(HOLDER_KEY_PREFIX)) {
      return { ...(await permission(needed).identify(ctx, request)), holder: null };
    }
    const holder = await findHolderByKey(ctx.db, hashToken(token));
    if (holder !== null) return { caller: null, holder };
    throw new DomainError('unauthorized', {
      detail: 'No data holder has this key. POST /data-holders/{name}/key creates another one',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  },
});
