import { deleteLocked } from '../../../shared/accounts/delete-user';
import { NOBODY } from '../../../shared/events/origin';
import { recordRetrying } from '../../../shared/poller/retry-store';
import { lockUserRow } from '../../../shared/users/user-store';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext();
});
afterEach(() => ctx.close());

test('a failure that is recorded while its user is being deleted keeps no error, which may quote the user', async () => {
  const person = await registerPerson(ctx);
  const [event] = (await storedEvents(ctx)).filter(({ subject }) => subject === person.user.id);
  if (!event) throw new Error('There is no such event');
  const failure = { attempt: 1, error: `no luck with ${person.user.email}`, isLast: false };
  const { recording } = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserRow(tx, person.user.id);
    if (!user) throw new Error('There is no such user');
    await deleteLocked(tx, ctx, user, NOBODY);
    const recording = recordRetrying(ctx.db, 'audit', [{ event, delayMs: 1_000, failure }]);
    await Promise.race([recording, untilLockIsAwaited(ctx)]);
    return { recording };
  });
  await recording;
  const history = await ctx.db
    .selectFrom('event_history')
    .select(['attempt', 'error'])
    .where('event_id', '=', event.id)
    .where('kind', '=', 'failed')
    .execute();
  expect(history).toEqual([{ attempt: 1, error: null }]);
});
