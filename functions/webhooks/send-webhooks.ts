// Every minute, for most of that minute: sends the webhook deliveries that are due.
import { containerContext } from '../../shared/context/context';
import type { WebhookReport } from '../../shared/webhook-delivery/outcome-writer';
import { sendWebhooks } from '../../shared/webhook-delivery/send-webhooks';
import { resolveHost } from '../../shared/webhooks/resolve-host';

export async function handler(): Promise<WebhookReport> {
  const ctx = { ...containerContext(), resolveHost };
  return sendWebhooks(ctx, ctx.config.webhooks.budgetMs);
}
