import type { Mailbox } from '../config-mailboxes';
import type { Context } from '../context';
import type { Tx } from '../db/connection';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import type { User } from '../users/user';
import { type EmailTokenPurpose, insertEmailToken } from './email-token-store';
import { oneLine } from './render-mail';
import { sendMail } from './send-mail';
import { type MailContent, passwordResetMail, verificationMail } from './templates';

type Template = (values: { appName: string; name: string; link: string; seconds: number }) => MailContent;

const LINKS = {
  verify_email: { template: verificationMail, page: 'verify-email', seconds: 'verifySeconds' },
  reset_password: { template: passwordResetMail, page: 'reset-password', seconds: 'resetSeconds' },
} as const satisfies Record<EmailTokenPurpose, { template: Template; page: string; seconds: string }>;

/**
 * Sends a link with a new token, which is made here, where it leaves for the mailbox, and stored as its hash.
 * @throws Error where the mail could not be sent
 */
export async function sendLinkMail(
  tx: Tx,
  ctx: Context,
  eventId: string,
  purpose: EmailTokenPurpose,
  user: User & { email: string },
): Promise<void> {
  const { template, page, seconds: setting } = LINKS[purpose];
  const { appName, publicUrl, [setting]: seconds } = ctx.config.mail;
  const token = newOpaqueToken();
  const now = ctx.now();
  const name = salutation(user);
  const link = `${publicUrl}/${page}?token=${token}`;
  await sendMail(ctx, eventId, recipientOf(user), template({ appName, name, link, seconds }));
  // After the send: the row locks the user against deletion, and no lock should wait on a mail server.
  await insertEmailToken(tx, {
    hash: hashToken(token),
    userId: user.id,
    purpose,
    address: user.email,
    now,
    expiresAt: new Date(now.getTime() + seconds * 1000),
  });
}

/**
 * How a mail speaks to a user. Before the address is proven it may be a stranger's, and a display name is free text:
 * whoever registers could write to anyone with it. A username has no room for that, unless it is a host name, which
 * mail programs make a link of.
 */
export function salutation(user: User): string {
  return nameFor(user) ?? 'there';
}

/** Whom a mail goes to, with the name that `salutation` may use. */
export function recipientOf(user: User & { email: string }): Mailbox {
  return { name: nameFor(user) ?? '', address: user.email };
}

function nameFor({ emailVerified, displayName, username }: User): string | null {
  if (emailVerified) return oneLine(displayName ?? username);
  return username.includes('.') ? null : username;
}
