import { consumersOf } from '../broker/topology';

/** `retrying`: in a retry queue, because it failed or waits for an earlier event of its user. */
export type ConsumerStatus = 'waiting' | 'handled' | 'retrying' | 'dead';

export interface LoggedEvent {
  /** The place in the log: the order in which events were appended. */
  position: number;
  id: string;
  type: string;
  subject: string;
  sequence: string;
  time: string;
  data: Record<string, unknown>;
  status: 'pending' | 'published';
  createdAt: string;
  publishedAt: string | null;
  attempts: number;
  lastError: string | null;
  /** By consumer, when it was handled. */
  handledAt: Record<string, string>;
  /** Of each consumer that receives the type. */
  consumers: Record<string, ConsumerStatus>;
}

/** What a query of the log returns of each event. */
export interface LoggedRow {
  position: string;
  id: string;
  type: string;
  subject: string;
  sequence: string;
  time: Date;
  data: Record<string, unknown>;
  created_at: Date;
  unsent: string | null;
  last_error: string | null;
  published_at: Date | null;
  attempts: number;
  handled_at: Record<string, string>;
  retrying: string[];
  dead: string[];
}

export function toLoggedEvent(row: LoggedRow): LoggedEvent {
  const statusOf = (consumer: string): ConsumerStatus => {
    if (row.handled_at[consumer] !== undefined) return 'handled';
    if (row.dead.includes(consumer)) return 'dead';
    return row.retrying.includes(consumer) ? 'retrying' : 'waiting';
  };
  return {
    position: Number(row.position),
    id: row.id,
    type: row.type,
    subject: row.subject,
    sequence: row.sequence,
    time: row.time.toISOString(),
    data: row.data,
    status: row.unsent === null ? 'published' : 'pending',
    createdAt: row.created_at.toISOString(),
    publishedAt: row.unsent === null ? (row.published_at?.toISOString() ?? null) : null,
    attempts: row.attempts,
    lastError: row.last_error,
    handledAt: Object.fromEntries(
      Object.entries(row.handled_at).map(([consumer, time]) => [consumer, new Date(time).toISOString()]),
    ),
    consumers: Object.fromEntries(consumersOf(row.type).map((name) => [name, statusOf(name)])),
  };
}
