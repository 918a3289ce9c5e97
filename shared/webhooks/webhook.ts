import type { DeliveryAttempt } from '../db/tables';
import type { EventType } from '../events/catalog';

/** An event type, or `*` for all of them, including types that later versions add. */
export type Subscription = EventType | '*';

/** A webhook as the service returns it, without its secret. */
export interface Webhook {
  id: string;
  url: string;
  eventTypes: Subscription[];
  description: string | null;
  /** Null for the default schedule. */
  retryDelaysSeconds: number[] | null;
  enabled: boolean;
  disabledAt: string | null;
  /** `requested`: by a client; `gone`: the endpoint responded with 410; `failing`: deliveries failed for too long. */
  disabledReason: 'requested' | 'gone' | 'failing' | null;
  /** Time of the first failure since the last success. */
  failingSince: string | null;
  /** Until then, messages are also signed with the previous secret. */
  previousSecretExpiresAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** The settings that clients may change. */
export interface WebhookSettings {
  url: string;
  eventTypes: Subscription[];
  description: string | null;
  retryDelaysSeconds: number[] | null;
  enabled: boolean;
}

/** The settings in the audit log. Contains only the host of the URL, because the path may contain a token. */
export function auditedSettings(webhook: WebhookSettings) {
  const { url, eventTypes, description, retryDelaysSeconds, enabled } = webhook;
  return { host: new URL(url).host, eventTypes, description, retryDelaysSeconds, enabled };
}

export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';

/** A delivery of an event to a webhook. Its id is the event's, which the receiver gets as `webhook-id`. */
export interface Delivery {
  id: string;
  type: string;
  status: DeliveryStatus;
  attemptCount: number;
  /** The last ten attempts. */
  attempts: DeliveryAttempt[];
  /** Null if no attempt is scheduled. */
  nextAttemptAt: string | null;
  createdAt: string;
  finishedAt: string | null;
}

/** The type of test messages, which are not events and not in the event log. */
export const TEST_TYPE = 'webhook.test';
