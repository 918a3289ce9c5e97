import { Transaction } from 'kysely';
import { DatabaseError } from 'pg';
import { POSTGRES, type Tx } from './connection';
import type { Tables } from './tables';

/**
 * Sends statements of a transaction together and waits for all of them: one round trip. None may depend on what another one
 * does. The time limit of each one counts from here, so it includes the time of those before it.
 * @param send starts them, with a transaction that does not wait for one before it sends the next
 * @returns their results
 * @throws the first error in the order of the list that is not a consequence of another one
 */
export async function inOneTrip<T extends readonly unknown[] | []>(
  tx: Tx,
  send: (tx: Tx) => T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const executor = tx.getExecutor();
  return executor.provideConnection(async (connection) => {
    let isOver = false;
    const together = new Transaction<Tables>({
      executor: executor.withConnectionProvider({
        provideConnection: async (use) => {
          // Behind the rollback or the commit, a statement would commit by itself.
          if (isOver) throw new Error('The statement was not sent: the round trip is over');
          return use(connection);
        },
      }),
      // What begins transactions, which this one never does.
      driver: POSTGRES.createDriver(),
      dialect: POSTGRES,
      config: { dialect: POSTGRES },
    });
    try {
      const results = send(together);
      const outcomes = await Promise.allSettled(results);
      const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      if (errors.length > 0) throw errors.find((error) => !isConsequence(error)) ?? errors[0];
      return await Promise.all(results);
    } finally {
      isOver = true;
    }
  });
}

/**
 * `25P02`: another statement has failed, so the transaction takes no more. `26000`: nor was the same text prepared, which this
 * one relied on.
 */
function isConsequence(error: unknown): boolean {
  return error instanceof DatabaseError && ['25P02', '26000'].includes(error.code ?? '');
}
