import type { Context } from '../context/context';
import { type LimitName, limitRate, useByAddress } from '../rate-limits/limit-rate';
import type { Permission } from '../roles/permissions';
import type { Caller } from '../sessions/authenticate';
import type { Request } from './request';

/** A rate limit that is counted before the body is parsed, so that a rejected request costs little. */
export interface Limit<C> {
  /** @throws DomainError `rate_limited` */
  count(ctx: C, request: Request, caller: Caller | null): Promise<void>;
}

/** @param exempt callers with this permission are not counted */
export const byAddress = (limit: LimitName, exempt?: Permission): Limit<Context> => ({
  count: async (ctx, { address }, caller) => {
    if (exempt !== undefined && caller?.permissions.has(exempt)) return;
    await limitRate(ctx, [useByAddress(limit, address)]);
  },
});
