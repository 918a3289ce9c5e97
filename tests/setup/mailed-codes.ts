import { handler as loginEmail } from '../../functions/auth/login-email';
import { handler as verifyLoginEmail } from '../../functions/auth/verify-login-email';
import type { TestContext } from './context';
import { call } from './http';
import type { TestReply } from './http-event';
import type { MailContext } from './mail-flow';
import { codeIn } from './mail-server';
import { type Person, registerPerson } from './people';

interface From {
  address?: string;
}

/** Somebody who has verified their address. */
export async function verifiedPerson(
  ctx: TestContext,
  fields: Record<string, unknown> = {},
): Promise<Person & { email: string }> {
  const person = await registerPerson(ctx, fields);
  await ctx.db.updateTable('users').set({ email_verified: true }).where('id', '=', person.user.id).execute();
  return { ...person, email: person.user.email ?? '' };
}

export function askForCode(ctx: TestContext, email: unknown, from: From = {}): Promise<TestReply> {
  return call(loginEmail, ctx, { method: 'POST', path: '/login/email', body: { email }, ...from });
}

export function sendCode(
  ctx: TestContext,
  emailToken: string,
  code: string,
  from: From = {},
): Promise<TestReply> {
  return call(verifyLoginEmail, ctx, {
    method: 'POST',
    path: '/login/email/verify',
    body: { emailToken, code },
    ...from,
  });
}

/** Asks for a code, and reads it in the mail. */
export async function mailedCode(
  flow: MailContext,
  email: string,
  from: From = {},
): Promise<{ emailToken: string; code: string }> {
  const { body } = await askForCode(flow.ctx, email, from);
  const mails = (await flow.deliver()).filter(isCodeMail);
  const mail = mails.findLast(({ recipients }) => recipients.includes(email));
  return { emailToken: body.emailToken, code: codeIn(mail) };
}

export function isCodeMail({ subject }: { subject?: string | undefined }): boolean {
  return subject?.startsWith('Your code') ?? false;
}

/** A code that is wrong, as far from the right one as another guess. */
export function otherThan(code: string, by = 1): string {
  return String((Number(code) + by) % 1_000_000).padStart(6, '0');
}
