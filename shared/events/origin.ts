/** Where a change came from. Kept beside the event for the audit log, never published. */
export interface Origin {
  actorId: string | null;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  /** W3C Trace Context; this one does travel with the event. */
  traceparent: string | null;
}

/** What the service does by itself, or a script. */
export const NOBODY: Origin = {
  actorId: null,
  address: null,
  userAgent: null,
  requestId: null,
  traceparent: null,
};
