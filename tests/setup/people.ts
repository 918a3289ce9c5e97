import { randomBytes } from 'node:crypto';
import { handler as login } from '../../functions/auth/login';
import { handler as register } from '../../functions/auth/register';
import { createAdmin } from '../../shared/accounts/create-admin';
import type { User } from '../../shared/users/user';
import type { TestContext } from './context';
import { call } from './http';

export const PASSWORD = 'a fine password';

export interface Person {
  user: User;
  accessToken: string;
  refreshToken: string;
}

/** A body that registers somebody new each time. */
export function registration(fields: Record<string, unknown> = {}) {
  const username = `user_${randomBytes(5).toString('hex')}`;
  return { username, email: `${username}@example.com`, password: PASSWORD, ...fields };
}

export async function registerPerson(
  ctx: TestContext,
  fields: Record<string, unknown> = {},
): Promise<Person> {
  const reply = await call(register, ctx, { method: 'POST', body: registration(fields) });
  if (reply.status !== 201) throw new Error(`Not registered: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

export async function logInAdmin(ctx: TestContext): Promise<Person> {
  const username = `admin_${randomBytes(5).toString('hex')}`;
  await createAdmin(ctx, username, PASSWORD);
  const reply = await call(login, ctx, { method: 'POST', body: { username, password: PASSWORD } });
  return reply.body;
}
