import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { NOBODY } from '../events/origin';
import { findProblem } from '../passwords/acceptable';
import { NewPassword, REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { findForLogin, setPassword } from '../passwords/password-store';
import { createUser } from '../users/create-user';
import { Email, Username } from '../users/fields';

const GENERATED_PASSWORD_BYTES = 15;

/**
 * Creates an administrator, with a generated password unless one is given. The relay publishes the event.
 * @returns the password, or null if a user with this name exists; then nothing is changed
 * @throws DomainError `email_taken`; Error with every problem of the input
 */
export async function createAdmin(
  ctx: Context,
  username: string,
  password?: string,
  email: string | null = null,
): Promise<string | null> {
  if (await findForLogin(ctx.db, { username })) return null;
  const chosen = password ?? randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url');
  const admin = assertValid({ username, email, password: chosen }, ctx.config.passwords.contextWords);
  const problem = await findProblem(ctx, chosen);
  if (problem !== null) throw new Error(`The administrator's password ${problem}`);

  const hashed = await hashPassword(admin.password, ctx.config.passwords);
  const names = { username: admin.username, email: admin.email };
  const input = { ...names, displayName: null, metadata: {}, role: 'admin' };
  try {
    await ctx.db.transaction().execute(async (tx) => {
      const { user } = await createUser(tx, ctx, 'relay', input, NOBODY);
      await setPassword(tx, user.id, hashed);
    });
  } catch (error) {
    // Created concurrently, for example by another machine that starts on the same database.
    if (error instanceof DomainError && error.code === 'username_taken') return null;
    throw error;
  }
  return chosen;
}

const Admin = v.object({ username: Username, email: v.nullable(Email), password: NewPassword });

/** @returns the normalized input */
function assertValid(
  given: v.InferInput<typeof Admin>,
  contextWords: readonly string[],
): v.InferOutput<typeof Admin> {
  const { success, output, issues = [] } = v.safeParse(Admin, given);
  const problems = issues.map((issue) => `${WORDS[v.getDotPath(issue) ?? ''] ?? ''} ${issue.message}`);
  if (repeatsName(given.password, { ...given, contextWords })) problems.push(`password ${REPEATS_NAME}`);
  if (success && problems.length === 0) return output;
  throw new Error(problems.map((problem) => `The administrator's ${problem}`).join('\n'));
}

const WORDS: Record<string, string> = {
  username: 'username',
  email: 'email address',
  password: 'password',
};
