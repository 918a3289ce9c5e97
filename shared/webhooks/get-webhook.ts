import type { Db, Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Webhook } from './webhook';
import { findWebhook, lockWebhook } from './webhook-store';

/** @throws DomainError `not_found` */
export async function getWebhook(db: Db, id: string): Promise<Webhook> {
  const webhook = await findWebhook(db, id);
  if (!webhook) throw noWebhook();
  return webhook;
}

/** @throws DomainError `not_found` or `webhook_disabled` */
export async function getEnabledWebhook(db: Db, id: string): Promise<Webhook> {
  const webhook = await getWebhook(db, id);
  if (!webhook.enabled) throw new DomainError('webhook_disabled', { detail: 'Enable the webhook first' });
  return webhook;
}

/**
 * Reads and locks a webhook until the caller's transaction ends.
 * @param versions the versions that the client accepts (`If-Match`), or null for any
 * @throws DomainError `not_found` or `version_mismatch`
 */
export async function lockWebhookToChange(
  tx: Tx,
  id: string,
  versions: number[] | null = null,
): Promise<Webhook> {
  const webhook = await lockWebhook(tx, id);
  if (!webhook) throw noWebhook();
  if (versions && !versions.includes(webhook.version)) {
    throw new DomainError('version_mismatch', {
      detail: 'The webhook has changed since you read it. Read it again and repeat the change',
      headers: { etag: `"${webhook.version}"` },
    });
  }
  return webhook;
}

function noWebhook(): DomainError {
  return new DomainError('not_found', { detail: 'Webhook not found' });
}
