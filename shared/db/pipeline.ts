import { DatabaseError } from 'pg';

/** `in_failed_sql_transaction` (PostgreSQL, appendix A): an earlier statement of the transaction has failed. */
const ABORTED = '25P02';

/**
 * Waits for parts of a transaction that do not depend on each other. Their statements were sent without waiting for
 * each other's results, so that together they take one round trip. Waits for all of them, so that none sends a statement
 * after the rollback.
 * @throws the first error, but not one that merely follows from another
 */
export async function pipelined<T extends readonly unknown[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const errors = (await Promise.allSettled(work)).flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  if (errors.length > 0) throw errors.find((error) => !isConsequence(error)) ?? errors[0];
  return Promise.all(work);
}

function isConsequence(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === ABORTED;
}
