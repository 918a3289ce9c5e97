// Queue rollcall.audit: writes every event into the audit log.
import { appendAuditEntries } from '../../shared/audit/audit-store';
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';

export const audit = (context: () => Context) =>
  consumer('audit', (events, tx) => appendAuditEntries(tx, events), context);

export const handler = audit(containerContext);
