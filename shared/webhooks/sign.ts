import { createHmac, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

/** As many random bytes as SHA-256 yields; Standard Webhooks requires 24 to 64. */
export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** The form that receivers configure: `whsec_` and base64. */
export function showSecret(secret: Buffer): string {
  return `${PREFIX}${secret.toString('base64')}`;
}

export interface SignedHeaders {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/**
 * The headers of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, "Webhook headers"): HMAC-SHA256 of
 * id, time and body. The time is that of the attempt, so that receivers can reject replayed messages.
 * @param secrets one signature per secret, so that a receiver can verify with either
 */
export function signMessage(id: string, at: Date, body: string, secrets: Buffer[]): SignedHeaders {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
