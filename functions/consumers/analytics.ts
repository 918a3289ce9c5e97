// Queue rollcall.analytics: counts registrations, verifications, logins and deletions per hour.
import { addToCounts } from '../../shared/analytics/analytics-store';
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';

export const analytics = (context: () => Context) =>
  consumer('analytics', (events, tx) => addToCounts(tx, events), context);

export const handler = analytics(containerContext);
