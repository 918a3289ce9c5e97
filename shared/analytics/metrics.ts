import type { EventType } from '../events/catalog';

export const METRICS = ['registrations', 'verifications', 'logins', 'deletions'] as const;
export type Metric = (typeof METRICS)[number];
export type Counts = Record<Metric, number>;

/** The metric that counts an event type. The consumer's queue is bound for these types: shared/broker/topology.ts. */
export const METRIC_OF: Partial<Record<EventType, Metric>> = {
  'user.created': 'registrations',
  'user.email_verified': 'verifications',
  'session.created': 'logins',
  'user.deleted': 'deletions',
};

export function noCounts(): Counts {
  return { registrations: 0, verifications: 0, logins: 0, deletions: 0 };
}
