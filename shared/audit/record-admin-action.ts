import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendAuditEntry } from './audit-store';

/** Administrative actions that are not events, and downloads of exports. Changes of users are events. */
export type AdminActionType =
  | 'role.created'
  | 'role.changed'
  | 'role.deleted'
  | 'webhook.created'
  | 'webhook.changed'
  | 'webhook.deleted'
  | 'webhook.secret_rotated'
  | 'webhook.tested'
  | 'webhook.redelivered'
  | 'dead_letter.edited'
  | 'dead_letter.deleted'
  | 'dead_letter.redriven'
  | 'dead_letters.redriven'
  | 'events.replayed'
  | 'analytics.rebuilt'
  | 'data_holder.created'
  | 'data_holder.changed'
  | 'data_holder.deleted'
  | 'data_holder.key_created'
  | 'erasure.receipt_recorded'
  | 'erasure.redriven'
  | 'export.receipt_recorded'
  | 'export.fetched';

export interface AdminAction {
  type: AdminActionType;
  /** Id of the changed object, if it has one. */
  subject?: string;
  /** Values before and after, or the input. Never secrets or personal data: entries are permanent. */
  details: Record<string, unknown>;
}

/** Writes an administrative action to the audit log, in the action's own transaction. */
export async function recordAdminAction(
  tx: Tx,
  ctx: Context,
  origin: Origin,
  action: AdminAction,
): Promise<void> {
  await appendAuditEntry(tx, {
    id: ctx.newId(),
    type: action.type,
    subject: action.subject ?? null,
    time: ctx.now(),
    origin,
    details: action.details,
  });
}
