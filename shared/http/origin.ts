import type { Request } from './request';

/** Who made a change and from where, for the audit log. */
export function originOf(request: Request, caller: { user: { id: string } } | null) {
  return {
    actorId: caller?.user.id ?? null,
    address: request.address,
    userAgent: request.userAgent,
    requestId: request.requestId,
    traceparent: request.traceparent,
  };
}
