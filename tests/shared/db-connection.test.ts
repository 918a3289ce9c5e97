import { sql } from 'kysely';
import { type TestContext, testContext } from '../setup/context';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext();
});
afterEach(() => ctx.close());

test('a connection that breaks between two statements of a transaction fails the next one, and no more', async () => {
  const transaction = ctx.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
    await sql`select pg_terminate_backend(${rows[0]?.pid}, 5000)`.execute(ctx.db);
    // Its last words are on the socket: whoever listens to them gets them now.
    await new Promise((resolve) => setImmediate(resolve));
    await sql`select 1`.execute(tx);
  });
  await expect(transaction).rejects.toThrow();
  await expect(sql`select 1`.execute(ctx.db)).resolves.toBeDefined();
});
