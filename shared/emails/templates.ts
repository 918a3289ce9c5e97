import { displayAddress } from '../users/email-address';
import { type Block, type MailContent, renderMail } from './render-mail';

export type { MailContent };

interface Action {
  appName: string;
  name: string;
  link: string;
  /** Lifetime of the link. */
  seconds: number;
}

export function verificationMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Confirm your email address for ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `Please confirm your email address for ${appName}.` },
    { button: 'Confirm email address', url: link },
    { paragraph: `This link works once and expires in ${duration(seconds)}.` },
    { paragraph: "If you didn't request this, you can ignore this email." },
  ]);
}

interface Welcome {
  appName: string;
  name: string;
  username: string;
}

export function welcomeMail({ appName, name, username }: Welcome): MailContent {
  return renderMail(appName, `Welcome to ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `Your email address is confirmed. Welcome to ${appName}!` },
    { paragraph: `You can log in with this email address or your username, ${username}.` },
  ]);
}

export function passwordResetMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Choose a new password for ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `We received a request to reset your password for ${appName}.` },
    { button: 'Choose a new password', url: link },
    {
      paragraph: `This link works once and expires in ${duration(seconds)}. A new password logs you out on all devices.`,
    },
    { paragraph: "If you didn't request this, you can ignore this email. Your password stays the same." },
  ]);
}

export function emailChangeRequestedMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Your email address for ${appName} is about to change`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph: `We received a request to change the email address of your ${appName} account from this one to another.`,
    },
    { paragraph: 'If this was you, open the link that we sent to the new address.' },
    {
      paragraph:
        "If this wasn't you, someone knows your password. Cancel the change and choose a new password:",
    },
    { button: 'Cancel the change', url: link },
    {
      paragraph: `This link works once and expires in ${duration(seconds)}. It also works after the change, and logs you out on all devices.`,
    },
  ]);
}

export function emailChangedMail({ appName, name, link, seconds }: Notice & Partial<Action>): MailContent {
  return renderMail(appName, `Your email address for ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `This is no longer the email address of your ${appName} account.` },
    ...(link === undefined || seconds === undefined
      ? [{ paragraph: `If you didn't expect this, please contact ${appName}.` }]
      : [
          { paragraph: "If you didn't make this change, restore your address and choose a new password:" },
          { button: 'Restore my email address', url: link },
          {
            paragraph: `This link works once and expires in ${duration(seconds)}. It logs you out on all devices.`,
          },
        ]),
  ]);
}

interface LoginCode {
  appName: string;
  name: string;
  code: string;
  /** Until the code expires. */
  seconds: number;
  requestedAt: string;
  /** The client's address. Not its user agent, which is free text. */
  requestedFrom: string | null;
}

/** The subject omits the code: phones show subjects on a locked screen, and mail servers write them to their logs. */
export function loginCodeMail(values: LoginCode): MailContent {
  const { appName, name, code, seconds, requestedAt, requestedFrom } = values;
  return renderMail(appName, `Your code to log in to ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `Enter this code to log in to ${appName}:` },
    { code },
    {
      paragraph: `It works once, only where it was requested, and expires in ${duration(Math.max(seconds, 60))}.`,
    },
    {
      facts: [
        ['Requested', `${requestedAt.slice(0, 16).replace('T', ' ')} UTC`],
        ...(requestedFrom === null ? [] : [['From IP address', requestedFrom] satisfies [string, string]]),
      ],
    },
    { paragraph: `Nobody from ${appName} will ever ask you for this code. Don't give it to anyone.` },
    {
      paragraph:
        "If you didn't request this, you can ignore this email: without the code, nobody can log in.",
    },
  ]);
}

interface Notice {
  appName: string;
  name: string;
}

export function passwordChangedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your password for ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph: `The password of your ${appName} account was changed. Your other sessions were logged out.`,
    },
    { paragraph: "If you didn't make this change, reset your password right away." },
  ]);
}

export function passwordRemovedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your password for ${appName} was removed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `The password of your ${appName} account was removed. You can no longer log in with it.` },
    { paragraph: "If you didn't remove it, set a new password right away: request a password reset." },
  ]);
}

/** After the first proof of an address, whose registration may have been a stranger's. */
export function unprovenPasswordRemovedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your password for ${appName} was removed`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph: `You have confirmed this email address by logging in with a code. The password of your ${appName} account was set before that, perhaps by someone else, so it was removed, together with all other ways to log in from before.`,
    },
    {
      paragraph: `You can go on logging in with a code. To set a new password, request a password reset at ${appName}.`,
    },
  ]);
}

/** Omits the username: to an unverified address, a username that looks like a host name would be a link to a stranger. */
export function usernameChangedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your username for ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `The username of your ${appName} account was changed.` },
    { paragraph: "If you didn't make this change, reset your password right away." },
  ]);
}

export function factorAddedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `An authenticator app was added to your ${appName} account`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `From now on, a login to ${appName} asks for a code from your authenticator app.` },
    { paragraph: `If you didn't add it, reset your password right away and contact ${appName}.` },
  ]);
}

export function factorRemovedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `An authenticator app was removed from your ${appName} account`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `An authenticator app of your ${appName} account no longer works.` },
    { paragraph: `If you didn't expect this, reset your password right away and contact ${appName}.` },
  ]);
}

/** Omits the passkey's name, which its user has typed: a stranger's text has no place in a mail of ours. */
export function passkeyAddedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `A passkey was added to your ${appName} account`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `You can now log in to ${appName} with a passkey, without a password.` },
    { paragraph: `If you didn't add it, reset your password right away and contact ${appName}.` },
  ]);
}

export function passkeyRemovedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `A passkey was removed from your ${appName} account`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `A passkey of your ${appName} account no longer works.` },
    { paragraph: `If you didn't expect this, reset your password right away and contact ${appName}.` },
  ]);
}

export function recoveryCodesCreatedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `New recovery codes for your ${appName} account`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph: `New recovery codes were created for your ${appName} account. Earlier ones no longer work.`,
    },
    { paragraph: `If you didn't create them, reset your password right away and contact ${appName}.` },
  ]);
}

export function recoveryCodeUsedMail({
  appName,
  name,
  remaining,
}: Notice & { remaining: number }): MailContent {
  return renderMail(appName, `A recovery code of your ${appName} account was used`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `A recovery code was used in place of your authenticator app. ${remaining} remain.` },
    { paragraph: `If it wasn't you, reset your password right away and contact ${appName}.` },
  ]);
}

export function roleChangedMail({
  appName,
  name,
  from,
  to,
}: Notice & { from: string; to: string }): MailContent {
  return renderMail(appName, `Your role in ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `An administrator changed the role of your ${appName} account.` },
    {
      facts: [
        ['Before', from],
        ['Now', to],
      ],
    },
    { paragraph: `If you didn't expect this, please contact ${appName}.` },
  ]);
}

/** Without the reason, which is for administrators only. */
export function suspendedMail({ appName, name, until }: Notice & { until: string | null }): MailContent {
  return renderMail(appName, `Your ${appName} account is suspended`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph:
        until === null
          ? `An administrator has suspended your ${appName} account. You cannot log in for now.`
          : `An administrator has suspended your ${appName} account. You can log in again from ${utcTime(until)}.`,
    },
    { paragraph: `Your data is kept. If you have questions, please contact ${appName}.` },
  ]);
}

export function restoredMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `You can use your ${appName} account again`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `Your ${appName} account is no longer suspended. You can log in as before.` },
  ]);
}

interface ExportReady {
  appName: string;
  name: string;
  /** To a page that asks people to sign in. */
  link: string;
  /** Not every service has answered. */
  isPartial: boolean;
  until: string;
}

export function exportReadyMail({ appName, name, link, isPartial, until }: ExportReady): MailContent {
  return renderMail(appName, `Your data from ${appName} is ready`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `You can now download the data that ${appName} has about you. Sign in to get it:` },
    { button: 'Download my data', url: link },
    ...(isPartial
      ? [{ paragraph: 'Some services have not answered in time. The download says which ones.' }]
      : []),
    { paragraph: `The download is available until ${until.slice(0, 10)}.` },
    { paragraph: "If you didn't request this, reset your password right away." },
  ]);
}

export interface NewUser {
  id: string;
  username: string;
  email: string | null;
  displayName: string | null;
  role: string;
  createdAt: string;
}

export function newUserNotice({ appName, user }: { appName: string; user: NewUser }): MailContent {
  const facts: Block = {
    facts: [
      ['Username', user.username],
      ['Name', user.displayName ?? '–'],
      ['Email', user.email === null ? '–' : displayAddress(user.email)],
      ['Role', user.role],
      ['Registered', user.createdAt],
      ['ID', user.id],
    ],
  };
  return renderMail(appName, `New user at ${appName}: ${user.username}`, [
    { paragraph: `A new user has registered for ${appName}.` },
    facts,
  ]);
}

function duration(seconds: number): string {
  const [count, unit] =
    seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : [Math.floor(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** "27 November 2026, 14:05 UTC" */
function utcTime(iso: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  return `${format.format(new Date(iso))}, ${iso.slice(11, 16)} UTC`;
}
