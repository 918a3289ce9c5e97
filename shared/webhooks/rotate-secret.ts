import type { Context } from '../context';
import type { WebhookWithSecret } from './create-webhook';
import { lockWebhookToChange } from './get-webhook';
import { newSecret, showSecret } from './sign';
import { replaceSecret } from './webhook-store';

const OVERLAP_SECONDS = 24 * 60 * 60;

/**
 * A new secret. For a day messages are signed with the one before, too, so that receivers can change over in their own
 * time. Rotated a second time within that day, the first one is gone: that is how to be rid of one that has leaked.
 * @throws DomainError `not_found` or `version_mismatch`
 */
export async function rotateSecret(
  ctx: Context,
  id: string,
  versions: number[] | null,
): Promise<WebhookWithSecret> {
  const secret = newSecret();
  const webhook = await ctx.db.transaction().execute(async (tx) => {
    const { id: known } = await lockWebhookToChange(tx, id, versions);
    return replaceSecret(tx, known, secret, OVERLAP_SECONDS);
  });
  return { ...webhook, secret: showSecret(secret) };
}
