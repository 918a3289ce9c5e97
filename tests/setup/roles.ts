import { randomBytes } from 'node:crypto';
import { handler as putRole } from '../../functions/roles/put-role';
import { handler as changeRole } from '../../functions/users/change-role';
import type { Permission } from '../../shared/roles/permissions';
import type { TestContext } from './context';
import { call } from './http';
import { type Person, registerPerson } from './people';

/** Somebody whose role holds just these permissions. */
export async function logInWith(ctx: TestContext, admin: Person, permissions: Permission[]): Promise<Person> {
  const role = `role-${randomBytes(5).toString('hex')}`;
  const token = admin.accessToken;
  await call(putRole, ctx, { method: 'PUT', params: { name: role }, body: { permissions }, token });
  const person = await registerPerson(ctx);
  const params = { id: person.user.id };
  const answer = await call(changeRole, ctx, { method: 'PUT', params, body: { role }, token });
  if (answer.status !== 200) throw new Error(`No role: ${JSON.stringify(answer.body)}`);
  return { ...person, user: answer.body };
}
