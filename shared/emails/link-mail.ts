import type { Mailbox } from '../config/mailboxes';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { type EmailTokenPurpose, insertEmailToken } from '../email-addresses/email-token-store';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { isSameAddress } from '../users/email-address';
import type { User } from '../users/user';
import { oneLine } from './render-mail';
import { sendMail } from './send-mail';
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
 * Sends the user a link with a new token, which is made here, where it leaves for the mailbox, and stored as its hash.
 * @throws Error where the mail could not be sent
 */
export async function sendLinkMail(
  tx: Tx,
  ctx: Context,
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

/** The user for a mail to another address than the one in use: there nobody has proven to be them. */
export function asSeenAt(user: User, address: string): User & { email: string } {
  const emailVerified = user.emailVerified && isSameAddress(user.email, address);
  return { ...user, email: address, emailVerified };
}

/** Whom a mail goes to, with the name that `salutation` may use. */
export function recipientOf(user: User & { email: string }): Mailbox {
  return { name: nameFor(user) ?? '', address: user.email };
}

function nameFor({ emailVerified, displayName, username }: User): string | null {
  if (emailVerified) return oneLine(displayName ?? username);
  return username.includes('.') ? null : username;
}
