import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Context } from '../context';
import { NewPassword } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { createUser } from './create-user';
import { Username } from './fields';
import { findForLogin } from './user-store';

const GENERATED_PASSWORD_BYTES = 15;

/**
 * Makes an administrator, with a generated password where none is given. Its event is left to the relay.
 * @returns the password, or null where a user of that name exists already: then nothing is changed
 */
export async function createAdmin(ctx: Context, username: string, password?: string): Promise<string | null> {
  if (await findForLogin(ctx.db, { username })) return null;
  const chosen = password ?? randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url');
  const name = v.safeParse(Username, username);
  if (!name.success) throw new Error(`The administrator's username ${name.issues[0].message}`);
  const secret = v.safeParse(NewPassword, chosen);
  if (!secret.success) throw new Error(`The administrator's password ${secret.issues[0].message}`);

  const passwordHash = await hashPassword(chosen, ctx.config.users.bcryptCost);
  const input = { username, email: null, passwordHash, displayName: null, metadata: {}, role: 'admin' };
  const origin = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };
  await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'relay', input, origin));
  return chosen;
}
