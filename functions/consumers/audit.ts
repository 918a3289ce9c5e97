// Queue rollcall.audit: writes every event into the audit log.
import { appendAuditEntry } from '../../shared/audit/audit-store';
import { consumer, type EventHandlers } from '../../shared/events/consumer';

export const handlers: EventHandlers = {
  '*': (event, tx) => appendAuditEntry(tx, event),
};

export const handler = consumer('audit', handlers);
