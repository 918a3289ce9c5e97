import type { Db } from '../db/connection';
import { type EventFilter, listNewest, positionBefore } from './event-log-store';
import type { LoggedEvent } from './logged-event';

/** How many events a search looks at for a page, at most: a tenth of a second, whatever the log holds. */
const LOOKED_AT = 50_000;

export interface EventPage {
  events: LoggedEvent[];
  /** What the next page begins before; null on the last one. */
  next: number | null;
}

/**
 * A page of the log, newest first. A page of a rare type may have fewer events than the limit, or none, and another page
 * after it all the same: no index finds events by type, and none is worth what it would cost each event. The same holds for
 * published events behind a large backlog.
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

/** Whether most of the log may be passed over: users have few events, and the tables of the other states few rows. */
function isSearch({ type, subject, status }: EventFilter): boolean {
  if (subject !== undefined) return false;
  return status === 'published' || (status === undefined && type !== undefined);
}
