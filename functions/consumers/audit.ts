// Queue rollcall.audit: writes every event into the audit log.
import { appendAuditEntry } from '../../shared/audit/audit-store';
import { consumer } from '../../shared/events/consumer';

export const handler = consumer('audit', {
  '*': (event, tx) => appendAuditEntry(tx, event),
});
