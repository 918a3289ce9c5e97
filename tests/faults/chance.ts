/** Whether an event is one of so many in a hundred: by chance, and the same at every delivery. */
export function isAmong(eventId: string, percent: number): boolean {
  return Number.parseInt(eventId.slice(-6), 16) % 10_000 < percent * 100;
}
