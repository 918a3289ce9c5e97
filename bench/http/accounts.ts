import { randomBytes } from 'node:crypto';
import type { PublishingContext } from '../../shared/outbox/publisher';
import { hashPassword } from '../../shared/passwords/hash';
import { setPassword } from '../../shared/passwords/password-store';
import { createUser } from '../../shared/users/create-user';
import { PASSWORD } from './client';

const ORIGIN = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };

/** Users with the benchmark's password, all in one transaction, with their events for the relay. @returns their names */
export async function createAccounts(ctx: PublishingContext, count: number): Promise<string[]> {
  const hashed = await hashPassword(PASSWORD, ctx.config.passwords);
  const series = randomBytes(4).toString('hex');
  const names = Array.from({ length: count }, (_, index) => `user_${series}_${index}`);
  await ctx.db.transaction().execute(async (tx) => {
    for (const username of names) {
      const input = {
        username,
        email: `${username}@example.com`,
        displayName: null,
        metadata: {},
        role: 'user',
      };
      const { user } = await createUser(tx, ctx, 'relay', input, ORIGIN);
      await setPassword(tx, user.id, hashed);
    }
  });
  return names;
}
