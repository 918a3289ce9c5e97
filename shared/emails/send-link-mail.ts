import type { Mailbox } from '../config/mailboxes';
import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import { type EmailTokenPurpose, insertEmailToken } from '../email-addresses/email-token-store';
import { oneLine } from '../plain-text';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { isSameAddress } from '../users/email-address';
import type { User } from '../users/user';
import { sendEventMail } from './send-event-mail';
import {
  emailChangedMail,
  emailChangeRequestedMail,
  type MailContent,
  passwordResetMail,
  verificationMail,
} from './templates';

type Template = (values: { appName: string; name: string; link: string; seconds: number }) => MailContent;

interface LinkMail {
  template: Template;
  purpose: EmailTokenPurpose;
  page: string;
  seconds: 'verifySeconds' | 'resetSeconds' | 'undoSeconds';
}

const UNDO = { purpose: 'undo_email_change', page: 'undo-email-change', seconds: 'undoSeconds' } as const;
const LINK_MAILS = {
  verify_email: {
    template: verificationMail,
    purpose: 'verify_email',
    page: 'verify-email',
    seconds: 'verifySeconds',
  },
  reset_password: {
    template: passwordResetMail,
    purpose: 'reset_password',
    page: 'reset-password',
    seconds: 'resetSeconds',
  },
  email_change_requested: { template: emailChangeRequestedMail, ...UNDO },
  email_changed: { template: emailChangedMail, ...UNDO },
} as const satisfies Record<string, LinkMail>;

/**
 * Creates a token, emails a link with it to the user and stores its hash.
 * @throws Error if the email could not be sent
 */
export async function sendLinkMail(
  tx: Tx,
  ctx: HandlerContext,
  eventId: string,
  kind: keyof typeof LINK_MAILS,
  user: User & { email: string },
): Promise<void> {
  const { template, purpose, page, seconds: setting } = LINK_MAILS[kind];
  const { appName, publicUrl, [setting]: seconds } = ctx.config.mail;
  const token = newOpaqueToken();
  const now = ctx.now();
  const name = salutation(user);
  const link = `${publicUrl}/${page}?token=${token}`;
  const content = template({ appName, name, link, seconds });
  await sendEventMail(tx, ctx, { eventId, template: kind }, recipientOf(user), content);
  // After sending: the insert locks the user against deletion, and no lock should be held while waiting for SMTP.
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
 * The name in an email's greeting. An unverified address may be a stranger's, and a display name is free text, in which
 * anyone who registers could send them a message. Usernames are too short for that, except those that mail programs
 * would turn into a link, because they look like a host name.
 */
export function salutation(user: User): string {
  return nameFor(user) ?? 'there';
}

/** The user for an email to the given address; unverified, unless it is their current verified address. */
export function atAddress(user: User, address: string): User & { email: string } {
  const emailVerified = user.emailVerified && isSameAddress(user.email, address);
  return { ...user, email: address, emailVerified };
}

/** The recipient of an email, with the same name as in the `salutation`. */
export function recipientOf(user: User & { email: string }): Mailbox {
  return { name: nameFor(user) ?? '', address: user.email };
}

function nameFor({ emailVerified, displayName, username }: User): string | null {
  if (emailVerified) return oneLine(displayName ?? username);
  return username.includes('.') ? null : username;
}
