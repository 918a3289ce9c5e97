import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { NOBODY } from '../events/origin';
import { BREACHED, isBreached } from '../passwords/breached';
import { NewPassword, REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { findForLogin, setPassword } from '../passwords/password-store';
import { createUser } from '../users/create-user';
import { Email, Username } from '../users/fields';

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
  const admin = assertValid({ username, email, password: chosen }, ctx.config.mail.appName);
  if (await isBreached(ctx, chosen)) throw new Error(`The administrator's password ${BREACHED}`);

  const hashed = await hashPassword(admin.password, ctx.config.users.bcryptCost);
  const names = { username: admin.username, email: admin.email };
  const input = { ...names, displayName: null, metadata: {}, role: 'admin' };
  try {
    await ctx.db.transaction().execute(async (tx) => {
      const { user } = await createUser(tx, ctx, 'relay', input, NOBODY);
      await setPassword(tx, user.id, hashed);
    });
  } catch (error) {
    // Two at once, for example two machines that start on one database.
    if (error instanceof DomainError && error.code === 'username_taken') return null;
    throw error;
  }
  return chosen;
}

const Admin = v.object({ username: Username, email: v.nullable(Email), password: NewPassword });

/** @returns what was given, in the form that is stored */
function assertValid(given: v.InferInput<typeof Admin>, appName: string): v.InferOutput<typeof Admin> {
  const { success, output, issues = [] } = v.safeParse(Admin, given);
  const problems = issues.map((issue) => `${WORDS[v.getDotPath(issue) ?? ''] ?? ''} ${issue.message}`);
  if (repeatsName(given.password, { ...given, appName })) problems.push(`password ${REPEATS_NAME}`);
  if (success && problems.length === 0) return output;
  throw new Error(problems.map((problem) => `The administrator's ${problem}`).join('\n'));
}

const WORDS: Record<string, string> = {
  username: 'username',
  email: 'email address',
  password: 'password',
};
