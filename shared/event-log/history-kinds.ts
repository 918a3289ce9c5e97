/** What an event's history tells: the usual way, and what went wrong on it. */
export const HISTORY_KINDS = [
  'committed',
  'published',
  'publish_failed',
  'redelivered',
  'failed',
  'waits',
  'dead',
  'handled',
  'mail_sent',
  'webhook_attempt',
] as const;

export type HistoryKind = (typeof HISTORY_KINDS)[number];
