import type { Db } from '../db/connection';
import { type EventFilter, type LoggedEvent, listNewest, positionBefore } from './event-log-store';

/** How many events a page looks at, at most: some tens of milliseconds, whatever the log holds. */
const LOOKED_AT = 100_000;

export interface EventPage {
  events: LoggedEvent[];
  /** What the next page begins before; null on the last one. */
  next: number | null;
}

/**
 * A page of the log, newest first. A page of a rare type may have fewer events than the limit, or none, and another page
 * after it all the same: no index finds events by type, and none is worth what it would cost each event.
 * @param before `next` of the page before
 */
export async function listEvents(
  db: Db,
  filter: EventFilter,
  limit: number,
  before: number | undefined,
): Promise<EventPage> {
  const from = isSearch(filter) ? await positionBefore(db, before, LOOKED_AT) : null;
  const found = await listNewest(db, filter, { before, from: from ?? undefined }, limit + 1);
  const events = found.slice(0, limit);
  const next = found.length > limit ? (events.at(-1)?.position ?? null) : from;
  return { events, next };
}

/** Whether it is by type alone: users have few events, and the tables of other states have few rows. */
function isSearch({ type, subject, status }: EventFilter): boolean {
  return type !== undefined && subject === undefined && (status === undefined || status === 'published');
}
