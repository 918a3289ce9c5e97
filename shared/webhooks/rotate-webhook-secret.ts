import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import type { WebhookWithSecret } from './create-webhook';
import { lockWebhookToChange } from './get-webhook';
import { newSecret, showSecret } from './sign';
import type { Webhook } from './webhook';
import { replaceSecret } from './webhook-store';

const OVERLAP_SECONDS = 24 * 60 * 60;

/**
 * Replaces the secret. For a day, messages are also signed with the previous one, so that receivers can switch. A second
 * rotation within that day invalidates the first secret at once, as a leaked one requires.
 * @throws DomainError `not_found` or `version_mismatch`
 */
export async function rotateWebhookSecret(
  ctx: Context,
  id: string,
  versions: number[] | null,
  origin: Origin,
): Promise<WebhookWithSecret> {
  const secret = newSecret();
  const webhook = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockWebhookToChange(tx, id, versions);
    const after = await replaceSecret(tx, before.id, secret, OVERLAP_SECONDS);
    // Only the expiry, nothing of the secrets.
    const expiry = ({ previousSecretExpiresAt }: Webhook) => ({ previousSecretExpiresAt });
    const details = { host: new URL(after.url).host, before: expiry(before), after: expiry(after) };
    await recordAdminAction(tx, ctx, origin, { type: 'webhook.secret_rotated', subject: after.id, details });
    return after;
  });
  return { ...webhook, secret: showSecret(secret) };
}
