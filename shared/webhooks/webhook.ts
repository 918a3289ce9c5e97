import type { DeliveryAttempt } from '../db/tables';
import type { EventType } from '../events/catalog';

/** What an endpoint can subscribe to: types of events, or all of them, also those that a later version adds. */
export type Subscription = EventType | '*';

/** An endpoint as the service hands it out. It has no secret: that is shown when it is made, and never again. */
export interface Webhook {
  id: string;
  url: string;
  eventTypes: Subscription[];
  description: string | null;
  /** Null: the service's own schedule. */
  retryDelaysSeconds: number[] | null;
  enabled: boolean;
  disabledAt: string | null;
  /** `requested` by whoever manages it, `gone` by its own 410, or `failing` for too long. */
  disabledReason: 'requested' | 'gone' | 'failing' | null;
  /** The first failure since the last success. */
  failingSince: string | null;
  /** Until then messages are signed with the secret before the present one, too. */
  previousSecretExpiresAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** What a client may say of an endpoint. */
export interface WebhookSettings {
  url: string;
  eventTypes: Subscription[];
  description: string | null;
  retryDelaysSeconds: number[] | null;
  enabled: boolean;
}

/** What the audit log keeps of an endpoint. Of its URL the host only: the path of such a URL may hold a token. */
export function auditedSettings(webhook: WebhookSettings) {
  const { url, eventTypes, description, retryDelaysSeconds, enabled } = webhook;
  return { host: new URL(url).host, eventTypes, description, retryDelaysSeconds, enabled };
}

export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';

/** An event on its way to an endpoint. Its id is the event's, which the endpoint has seen as `webhook-id`. */
export interface Delivery {
  id: string;
  type: string;
  status: DeliveryStatus;
  attemptCount: number;
  /** The latest ten. */
  attempts: DeliveryAttempt[];
  /** Null: there will be none. */
  nextAttemptAt: string | null;
  createdAt: string;
  finishedAt: string | null;
}

/** What a test sends: an event of no user, in no log. */
export const TEST_TYPE = 'webhook.test';
