import { isDeepStrictEqual } from 'node:util';
import { recordAct } from '../audit/record-act';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { assertUrlAllowed, normalized } from './create-webhook';
import { makePendingDue } from './delivery-store';
import { lockWebhookToChange } from './get-webhook';
import { auditedSettings, type Webhook, type WebhookSettings } from './webhook';
import { updateWebhookRow } from './webhook-store';

/**
 * Changes an endpoint; fields that are left out stay. One that is enabled again, or that has another URL, starts anew:
 * its failures are forgotten, and what was waiting for it is due at once.
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
    const anew = after.enabled && (!before.enabled || after.url !== before.url);
    const webhook = await updateWebhookRow(tx, id, after, anew);
    if (anew) await makePendingDue(tx, id);
    await recordAct(tx, ctx, origin, {
      type: 'webhook.changed',
      subject: webhook.id,
      details: {
        // Also where the difference is in the path, which is not shown.
        urlChanged: after.url !== before.url,
        before: auditedSettings(before),
        after: auditedSettings(webhook),
      },
    });
    return webhook;
  });
}
