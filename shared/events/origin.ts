/** Who made a change and from where. Stored with the event for the audit log, but not published. */
export interface Origin {
  actorId: string | null;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  /** W3C Trace Context; the only field that is published with the event. */
  traceparent: string | null;
}

/** The origin of changes by the service itself or a script. */
export const NOBODY: Origin = {
  actorId: null,
  address: null,
  userAgent: null,
  requestId: null,
  traceparent: null,
};
