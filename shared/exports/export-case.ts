/** The name of this service's own part, which no data holder can have. */
export const OWN_PART = 'rollcall';

/** A holder may be given more time for erasures. For access it is a month (GDPR, article 12 (3)). */
export const MAX_DEADLINE_SECONDS = 30 * 24 * 60 * 60;
/** From the time when an export is ready. */
export const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Of one answer. By HTTP, the limit of all bodies is smaller. */
export const MAX_PART_BYTES = 1024 * 1024;
/** Lambda responds with at most 6 MB, of which escaping the document as a string may take half. */
export const MAX_EXPORT_BYTES = 2_900_000;

export type JsonObject = Record<string, unknown>;
export type ExportOutcome = 'exported' | 'nothing_held';
/** `ready`: all have answered. `partial`: those that have not are past their deadline. */
export type ExportState = 'pending' | 'ready' | 'partial';

/** What one holder owes to an export. */
export interface ExportReceipt {
  holder: string;
  dueAt: string;
  isOverdue: boolean;
  /** Null until it has answered. */
  outcome: ExportOutcome | null;
  receivedAt: string | null;
  receivedBy: 'amqp' | 'http' | 'administrator' | null;
}

/** A user's request for all data about them, without the data. */
export interface Export {
  id: string;
  userId: string;
  requestedBy: 'user' | 'administrator';
  state: ExportState;
  openedAt: string;
  /** When the user was told. Null until then. */
  readyAt: string | null;
  /** Null until it is ready. */
  expiresAt: string | null;
  receipts: ExportReceipt[];
}

export function stateOf(receipts: Pick<ExportReceipt, 'receivedAt' | 'isOverdue'>[]): ExportState {
  const awaited = receipts.filter(({ receivedAt }) => receivedAt === null);
  if (awaited.length === 0) return 'ready';
  return awaited.every(({ isOverdue }) => isOverdue) ? 'partial' : 'pending';
}
