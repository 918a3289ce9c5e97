import type { Context } from '../context';
import { DomainError } from '../errors';
import { problemOfUrl } from './find-target';
import { newSecret, showSecret } from './sign';
import type { Webhook, WebhookSettings } from './webhook';
import { insertWebhook } from './webhook-store';

/** An endpoint, with the secret that only whoever made or rotated it gets to see. */
export type WebhookWithSecret = Webhook & { secret: string };

/** @throws DomainError `invalid_request` for a URL that is not allowed */
export async function createWebhook(ctx: Context, settings: WebhookSettings): Promise<WebhookWithSecret> {
  assertUrlAllowed(ctx, settings.url);
  const secret = newSecret();
  const webhook = await insertWebhook(ctx.db, ctx.newId(), normalized(settings), secret);
  return { ...webhook, secret: showSecret(secret) };
}

/**
 * What can be known without asking the DNS. The addresses of the host are checked at every attempt: they may change.
 * @throws DomainError `invalid_request`
 */
export function assertUrlAllowed(ctx: Context, url: string): void {
  const message = problemOfUrl(new URL(url), ctx.config.webhooks.allowedNetworks);
  if (message !== null) throw new DomainError('invalid_request', { errors: [{ path: 'url', message }] });
}

/** The URL as it will be used, so that `https://0x7f.1` shows as what it is; each event type once. */
export function normalized(settings: WebhookSettings): WebhookSettings {
  return { ...settings, url: new URL(settings.url).href, eventTypes: [...new Set(settings.eventTypes)] };
}
