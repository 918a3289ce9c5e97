import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Context } from '../context';
import { DomainError } from '../errors';
import { NewPassword, REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { createUser } from './create-user';
import { findForLogin } from './credential-store';
import { Email, Username } from './fields';

const GENERATED_PASSWORD_BYTES = 15;

/**
 * Makes an administrator, with a generated password where none is given. Its event is left to the relay.
 * @returns the password, or null where a user of that name exists already: then nothing is changed
 * @throws DomainError `email_taken`; Error with all that is wrong with what was given
 */
export async function createAdmin(
  ctx: Context,
  username: string,
  password?: string,
  email: string | null = null,
): Promise<string | null> {
  if (await findForLogin(ctx.db, { username })) return null;
  const chosen = password ?? randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url');
  assertValid({ username, email, password: chosen });

  const passwordHash = await hashPassword(chosen, ctx.config.users.bcryptCost);
  const input = { username, email, passwordHash, displayName: null, metadata: {}, role: 'admin' };
  const origin = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };
  try {
    await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'relay', input, origin));
  } catch (error) {
    // Two at once, for example two machines that start on one database.
    if (error instanceof DomainError && error.code === 'username_taken') return null;
    throw error;
  }
  return chosen;
}

function assertValid({ password, ...names }: { username: string; email: string | null; password: string }) {
  const problems = [
    ...problemsOf('username', v.safeParse(Username, names.username)),
    ...problemsOf('e-mail address', v.safeParse(v.nullable(Email), names.email)),
    ...problemsOf('password', v.safeParse(NewPassword, password)),
    ...(repeatsName(password, names) ? [`The administrator's password ${REPEATS_NAME}`] : []),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function problemsOf(what: string, result: { issues?: { message: string }[] | undefined }): string[] {
  return (result.issues ?? []).map((issue) => `The administrator's ${what} ${issue.message}`);
}
