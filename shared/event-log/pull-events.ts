import type { Db } from '../db/connection';
import { type EventFilter, listOldest } from './event-log-store';
import { readPositions, takeHorizon } from './feed-store';
import type { LoggedEvent } from './logged-event';

/** How many places of the log one answer goes forward, at most. */
const STEP = 5_000;

/**
 * How far a reader has come. `position` is given out when an event is inserted, and its transaction may commit later than
 * that of a following position, or never. So a gap is passed only if it is certain that nothing comes there any more:
 * whoever took a position up to `upTo` had a transaction id below `horizon`, and all of those have ended.
 */
export interface FeedCursor {
  /** The last position that the reader has passed. */
  after: number;
  gap?: { upTo: number; horizon: string } | undefined;
}

export interface Feed {
  events: LoggedEvent[];
  /** The same as before if nothing has come: then the reader waits before it asks again. */
  cursor: FeedCursor;
}

/**
 * The next events in the order of the log, each exactly once for a reader that passes on each cursor, and none missing
 * that is committed late. Behind a gap whose transaction may still be running, it waits.
 */
export async function pullEvents(
  db: Db,
  filter: EventFilter,
  limit: number,
  cursor: FeedCursor,
): Promise<Feed> {
  let read = await advance(db, cursor);
  if (read.isStopped && read.mayMark) {
    // Only now: a transaction that has taken a position that was seen has its id already, and it is below this one.
    const gap = { upTo: read.highest, horizon: await takeHorizon(db) };
    // Usually nobody is at work in the gap, and this passes it.
    read = await advance(db, { after: read.after, gap });
  }
  const { after: last, gap } = read;
  const events =
    last > cursor.after ? await listOldest(db, filter, { after: cursor.after, last }, limit) : [];
  const after = events.length === limit ? (events.at(-1)?.position ?? last) : last;
  return { events, cursor: gap && gap.upTo > after ? { after, gap } : { after } };
}

interface Advance {
  after: number;
  gap: FeedCursor['gap'];
  /** At a gap in which something may still come. */
  isStopped: boolean;
  /** Whether what the cursor says of a gap is of no use here. */
  mayMark: boolean;
  highest: number;
}

async function advance(db: Db, { after: start, gap }: FeedCursor): Promise<Advance> {
  const { positions, oldestRunning } = await readPositions(db, start, STEP);
  const isOver = gap !== undefined && BigInt(gap.horizon) <= BigInt(oldestRunning);
  let after = start;
  for (const position of positions) {
    const isNext = position === after + 1 || (isOver && position <= gap.upTo);
    if (!isNext) break;
    after = position;
  }
  const highest = positions.at(-1) ?? after;
  return {
    after,
    gap,
    isStopped: after < highest,
    mayMark: gap === undefined || isOver || gap.upTo <= after,
    highest,
  };
}
