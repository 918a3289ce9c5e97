import type { EventData, EventType, UserEvent } from '../events/catalog';

/**
 * What the audit log keeps of an event's data: ids, roles and reasons. Nothing personal, because entries outlive the
 * user: of what has changed in a profile only the names of the fields. The values are in the event log, until they are
 * erased there.
 */
const DETAILS: { [T in EventType]?: (data: EventData<T>) => Record<string, unknown> } = {
  'user.created': ({ role }) => ({ role }),
  'user.updated': ({ changes }) => ({ fields: Object.keys(changes).sort() }),
  'user.role_changed': ({ from, to }) => ({ before: { role: from }, after: { role: to } }),
  'session.created': ({ sessionId, reason }) => ({ sessionId, reason }),
  'session.revoked': ({ sessionId, reason }) => ({ sessionId, reason }),
  'session.reuse_detected': ({ sessionId, reason }) => ({ sessionId, reason }),
  'webhook.disabled': ({ host, reason }) => ({ host, reason }),
};

export function detailsOf<T extends EventType>(event: UserEvent<T>): Record<string, unknown> | null {
  const read: ((data: EventData<T>) => Record<string, unknown>) | undefined = DETAILS[event.type];
  return read?.(event.data) ?? null;
}
