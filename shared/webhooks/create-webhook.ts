import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { problemOfUrl } from './find-target';
import { newSecret, showSecret } from './sign';
import { auditedSettings, type Webhook, type WebhookSettings } from './webhook';
import { insertWebhook } from './webhook-store';

/** A webhook with its secret, which only the responses to creation and rotation contain. */
export type WebhookWithSecret = Webhook & { secret: string };

/** @throws DomainError `invalid_request` for a URL that is not allowed */
export async function createWebhook(
  ctx: Context,
  settings: WebhookSettings,
  origin: Origin,
): Promise<WebhookWithSecret> {
  assertUrlAllowed(ctx, settings.url);
  const secret = newSecret();
  const webhook = await ctx.db.transaction().execute(async (tx) => {
    const inserted = await insertWebhook(tx, ctx.newId(), normalized(settings), secret);
    const details = { before: null, after: auditedSettings(inserted) };
    await recordAdminAction(tx, ctx, origin, { type: 'webhook.created', subject: inserted.id, details });
    return inserted;
  });
  return { ...webhook, secret: showSecret(secret) };
}

/**
 * Checks what is possible without DNS. The host's addresses are checked at every attempt, because they may change.
 * @throws DomainError `invalid_request`
 */
export function assertUrlAllowed(ctx: Context, url: string): void {
  const message = problemOfUrl(new URL(url), ctx.config.webhooks.allowedNetworks);
  if (message !== null) throw new DomainError('invalid_request', { errors: [{ path: 'url', message }] });
}

/** Normalizes the URL, so that `https://0x7f.1` shows its actual address, and removes duplicate event types. */
export function normalized(settings: WebhookSettings): WebhookSettings {
  return { ...settings, url: new URL(settings.url).href, eventTypes: [...new Set(settings.eventTypes)] };
}
