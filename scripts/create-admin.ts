// `npm run admin:create -- --username NAME [--email ADDRESS] [--password PASSWORD]`: creates an administrator.
import { parseArgs } from 'node:util';
import { createAdmin } from '../shared/accounts/create-admin';
import { DomainError } from '../shared/errors';
import { runScript } from './run';

const USAGE = 'Usage: npm run admin:create -- --username NAME [--email ADDRESS] [--password PASSWORD]';

runScript(async (ctx) => {
  const { username, email, password } = readArguments();
  const made = await createAdmin(ctx, username, password, email).catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'email_taken') {
      throw new Error(`Another user has the email address ${email}: nothing was changed.`);
    }
    throw error;
  });
  if (made === null) throw new Error(`A user called ${username} already exists: nothing was changed.`);
  console.log(`The administrator ${username} can log in now.`);
  if (password === undefined) console.log(`Password: ${made}   (shown only this once)`);
});

function readArguments(): { username: string; email?: string | undefined; password?: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { username: { type: 'string' }, email: { type: 'string' }, password: { type: 'string' } },
    });
    const { username, ...optional } = values;
    if (username === undefined) throw new Error('The username is missing.');
    return { username, ...optional };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}
