import type { EventData, EventType, UserEvent } from '../events/catalog';

/**
 * The part of an event's data that the audit log keeps: ids, roles and reasons. No personal data, because entries outlive
 * the user: for profile changes, only the field names. The values are in the event log until they are erased there.
 */
const DETAILS: { [T in EventType]?: (data: EventData<T>) => Record<string, unknown> } = {
  'user.created': ({ role }) => ({ role }),
  'user.updated': ({ changes }) => ({ fields: Object.keys(changes).sort() }),
  'user.password_removed': ({ reason }) => ({ ...(reason && { reason }) }),
  'user.erasure_requested': ({ caseId }) => ({ caseId }),
  'user.erasure_completed': ({ caseId }) => ({ caseId }),
  'user.suspended': ({ until }) => ({ until }),
  'user.export_requested': ({ caseId }) => ({ caseId }),
  'user.export_ready': ({ caseId }) => ({ caseId }),
  'user.role_changed': ({ from, to }) => ({ before: { role: from }, after: { role: to } }),
  'user.factor_added': ({ factorId, factorType }) => ({ factorId, factorType }),
  'user.factor_removed': ({ factorId, factorType }) => ({ factorId, factorType }),
  'user.passkey_added': ({ passkeyId }) => ({ passkeyId }),
  'user.passkey_removed': ({ passkeyId }) => ({ passkeyId }),
  'user.recovery_code_used': ({ remaining }) => ({ remaining }),
  'session.created': ({ sessionId, reason, amr }) => ({ sessionId, reason, ...(amr && { amr }) }),
  'session.elevated': ({ sessionId, amr }) => ({ sessionId, amr }),
  'session.revoked': ({ sessionId, reason, cause }) => ({ sessionId, reason, ...(cause && { cause }) }),
  'session.reuse_detected': ({ sessionId, reason }) => ({ sessionId, reason }),
  'webhook.disabled': ({ host, reason }) => ({ host, reason }),
};

export function detailsOf<T extends EventType>(event: UserEvent<T>): Record<string, unknown> | null {
  const read: ((data: EventData<T>) => Record<string, unknown>) | undefined = DETAILS[event.type];
  return read?.(event.data) ?? null;
}
