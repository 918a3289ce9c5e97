import type { KyselyPlugin } from 'kysely';
import { within } from '../within';
import type { Db, Tx } from './connection';

/** A rollback takes a round trip; where it takes longer, the connection is at a statement, or dead. */
const ROLLBACK_TIMEOUT_MS = 1_000;

export class TransactionTimeoutError extends Error {
  override readonly name = 'TransactionTimeoutError';
}

/**
 * A transaction that is rolled back when the work takes too long. The work may go on then, because nothing can end a
 * promise: its further statements are refused.
 * @throws TransactionTimeoutError, and what the work throws
 */
export async function transactionWithin<T>(
  db: Db,
  timeoutMs: number,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const late = new TransactionTimeoutError(`not done within ${timeoutMs / 1000} s`);
  let isOver = false;
  const refuse: KyselyPlugin = {
    // Sent after the rollback, a statement would take effect by itself.
    transformQuery: ({ node }) => {
      if (isOver) throw late;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const orLate = async (ms: number, promise: Promise<T>): Promise<T> => {
    const outcome = await within(ms, promise, LATE);
    if (outcome !== LATE) return outcome;
    isOver = true;
    throw late;
  };
  const transaction = db.transaction().execute((tx) => {
    if (isOver) throw late;
    return orLate(timeoutMs, work(tx.withPlugin(refuse)));
  });
  // What the rollback says of a connection that the server has ended meanwhile is no reason.
  return orLate(timeoutMs + ROLLBACK_TIMEOUT_MS, transaction).catch((error: unknown) => {
    throw isOver ? late : error;
  });
}

const LATE = Symbol('late');
