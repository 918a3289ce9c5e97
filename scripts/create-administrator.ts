import { parseArgs } from 'node:util';
import { createAdmin } from '../shared/accounts/create-admin';
import type { Context } from '../shared/context/context';
import { DomainError } from '../shared/errors';
import { runScript } from './run';

const OPTIONS = '--username NAME [--email ADDRESS] [--password PASSWORD]';

/** Creates an administrator in the database of DATABASE_URL. @param command what starts it, for the message about its use */
export function createAdministrator(command: string, args: string[]): Promise<void> {
  return runScript((ctx) => create(ctx, readArguments(command, args)));
}

interface Arguments {
  username: string;
  email?: string | undefined;
  password?: string | undefined;
}

async function create(ctx: Context, { username, email, password }: Arguments): Promise<void> {
  const made = await createAdmin(ctx, username, password, email).catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'email_taken') {
      throw new Error(`Another user has the email address ${email}: nothing was changed.`);
    }
    throw error;
  });
  if (made === null) throw new Error(`A user called ${username} already exists: nothing was changed.`);
  console.log(`The administrator ${username} can log in now.`);
  if (password === undefined) console.log(`Password: ${made}   (shown only this once)`);
}

function readArguments(command: string, args: string[]): Arguments {
  try {
    const { values } = parseArgs({
      args,
      options: { username: { type: 'string' }, email: { type: 'string' }, password: { type: 'string' } },
    });
    const { username, ...optional } = values;
    if (username === undefined) throw new Error('The username is missing.');
    return { username, ...optional };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\nUsage: ${command} ${OPTIONS}`);
  }
}
