import type { Context } from '../context';
import { lockWebhookToChange } from './get-webhook';
import { deleteWebhookRow } from './webhook-store';

/** Deletes an endpoint with its deliveries. @throws DomainError `not_found` or `version_mismatch` */
export async function deleteWebhook(ctx: Context, id: string, versions: number[] | null): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const { id: known } = await lockWebhookToChange(tx, id, versions);
    await deleteWebhookRow(tx, known);
  });
}
