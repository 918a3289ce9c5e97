import { isDeepStrictEqual } from 'node:util';
import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { assertUrlAllowed, normalized } from './create-webhook';
import { makePendingDue } from './delivery-store';
import { lockWebhookToChange } from './get-webhook';
import { auditedSettings, type Webhook, type WebhookSettings } from './webhook';
import { updateWebhookRow } from './webhook-store';

/**
 * Updates a webhook; omitted fields keep their values. Enabling it or changing its URL resets its failures and makes its
 * pending deliveries due at once.
 * @throws DomainError `not_found`, `version_mismatch`, or `invalid_request` for a URL that is not allowed
 */
export async function updateWebhook(
  ctx: Context,
  id: string,
  update: Partial<WebhookSettings>,
  versions: number[] | null,
  origin: Origin,
): Promise<Webhook> {
  if (update.url !== undefined) assertUrlAllowed(ctx, update.url);
  return ctx.db.transaction().execute(async (tx) => {
    const before = await lockWebhookToChange(tx, id, versions);
    const after = { ...before, ...normalized({ ...before, ...update }) };
    if (isDeepStrictEqual(after, before)) return before;
    const resetFailures = after.enabled && (!before.enabled || after.url !== before.url);
    const webhook = await updateWebhookRow(tx, id, after, resetFailures);
    if (resetFailures) await makePendingDue(tx, id);
    await recordAdminAction(tx, ctx, origin, {
      type: 'webhook.changed',
      subject: webhook.id,
      details: {
        // Recorded even if only the path differs, which is not shown.
        urlChanged: after.url !== before.url,
        before: auditedSettings(before),
        after: auditedSettings(webhook),
      },
    });
    return webhook;
  });
}
