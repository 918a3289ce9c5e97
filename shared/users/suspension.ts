/** A user who may not sign in. */
export interface Suspension {
  since: string;
  /** When it ends by itself; null: not before the user is restored. */
  until: string | null;
  /** For administrators: neither events nor mails contain it, and the user does not see it. */
  reason: string | null;
}

/**
 * The suspension in force, if there is one. At `until` it ends by the clock; that it is still stored, until
 * `restoreDueUsers` appends the event, counts for nothing.
 */
export function activeSuspension(
  { suspension }: { suspension: Suspension | null },
  now: Date,
): Suspension | null {
  if (suspension === null || suspension.until === null) return suspension;
  return new Date(suspension.until) > now ? suspension : null;
}
