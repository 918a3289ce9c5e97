import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendAuditEntry } from './audit-store';

/** What somebody does to the service itself, and no event tells of. What is done to a user is an event. */
export type ActType =
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
  | 'analytics.rebuilt';

export interface Act {
  type: ActType;
  /** What it was done to, where that has an id of its own. */
  subject?: string;
  /** What it was before and is now, or what was asked for. Never a secret or a user's data: entries are for ever. */
  details: Record<string, unknown>;
}

/** Writes an administrative act into the audit log, in the act's own transaction: neither is without the other. */
export async function recordAct(tx: Tx, ctx: Context, origin: Origin, act: Act): Promise<void> {
  await appendAuditEntry(tx, {
    id: ctx.newId(),
    type: act.type,
    subject: act.subject ?? null,
    time: ctx.now(),
    origin,
    details: act.details,
  });
}
