import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { lockWebhookToChange } from './get-webhook';
import { auditedSettings } from './webhook';
import { deleteWebhookRow } from './webhook-store';

/** Deletes a webhook and its deliveries. @throws DomainError `not_found` or `version_mismatch` */
export async function deleteWebhook(
  ctx: Context,
  id: string,
  versions: number[] | null,
  origin: Origin,
): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const webhook = await lockWebhookToChange(tx, id, versions);
    await deleteWebhookRow(tx, webhook.id);
    const details = { before: auditedSettings(webhook), after: null };
    await recordAdminAction(tx, ctx, origin, { type: 'webhook.deleted', subject: webhook.id, details });
  });
}
