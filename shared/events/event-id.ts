/**
 * How far the time in an event's id may differ from the event's own time: by the clocks of two containers, and by how long
 * a transaction takes.
 */
const CLOCK_MARGIN_MS = 10 * 60 * 1000;

/** The smallest id of that time: event ids are UUIDv7 (RFC 9562, section 5.7) and sort by it, so a primary key finds them. */
export function firstIdOf(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Ids between which all events of a range of times are, with some others: what a search by time has to look at. */
export function idsAround({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  return {
    first: from === undefined ? null : firstIdOf(new Date(Date.parse(from) - CLOCK_MARGIN_MS)),
    end: to === undefined ? null : firstIdOf(new Date(Date.parse(to) + CLOCK_MARGIN_MS)),
  };
}
