import type { KyselyPlugin } from 'kysely';
import { within } from '../within';
import type { Db, Tx } from './connection';

/** A rollback takes one round trip. If it takes longer, the connection is busy or dead. */
const ROLLBACK_TIMEOUT_MS = 1_000;

export class TransactionTimeoutError extends Error {
  override readonly name = 'TransactionTimeoutError';
}

/**
 * A transaction that is rolled back if the work takes too long. The work itself cannot be cancelled, but its further
 * statements fail.
 * @throws TransactionTimeoutError, and what the work throws
 */
export async function transactionWithin<T>(
  db: Db,
  timeoutMs: number,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  // Not created before it is needed: its stack would cost more than the rest of this function.
  const late = () => new TransactionTimeoutError(`not done within ${timeoutMs / 1000} s`);
  let isOver = false;
  const refuse: KyselyPlugin = {
    // A statement after the rollback would take effect outside the transaction.
    transformQuery: ({ node }) => {
      if (isOver) throw late();
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const orLate = async (ms: number, promise: Promise<T>): Promise<T> => {
    const outcome = await within(ms, promise, LATE);
    if (outcome !== LATE) return outcome;
    isOver = true;
    throw late();
  };
  const transaction = db.transaction().execute((tx) => {
    if (isOver) throw late();
    return orLate(timeoutMs, work(tx.withPlugin(refuse)));
  });
  // After a timeout, an error of the rollback itself is not the cause.
  return orLate(timeoutMs + ROLLBACK_TIMEOUT_MS, transaction).catch((error: unknown) => {
    throw isOver ? late() : error;
  });
}

const LATE = Symbol('late');
