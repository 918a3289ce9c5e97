import type { Db } from '../db/connection';
import { countById } from './event-count-store';

const MINUTE_MS = 60_000;

export interface Minute {
  /** Its beginning. */
  minute: string;
  count: number;
}

/** Events by the minute of their ids, oldest first, the current minute last. Looks at the primary key alone. */
export async function countEvents(db: Db, now: Date, minutes: number): Promise<Minute[]> {
  const current = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  const starts = Array.from(
    { length: minutes },
    (_, index) => new Date(current - (minutes - 1 - index) * MINUTE_MS),
  );
  const counts = await countById(db, starts, MINUTE_MS);
  return starts.map((start, index) => ({ minute: start.toISOString(), count: counts[index] ?? 0 }));
}
