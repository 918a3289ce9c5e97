import { shownAddress } from '../users/email-address';
import { type Block, type MailContent, renderMail } from './render-mail';

export type { MailContent };

interface Action {
  appName: string;
  name: string;
  link: string;
  /** For how long the link works. */
  seconds: number;
}

export function verificationMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Confirm your email address for ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `please confirm that this is your email address at ${appName}.` },
    { button: 'Confirm my email address', url: link },
    { paragraph: `The link works once, for ${duration(seconds)}.` },
    { paragraph: 'If you did not ask for this, you need not do anything: without you nothing is confirmed.' },
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
    { paragraph: `your email address is confirmed. Welcome to ${appName}!` },
    { paragraph: `You can log in with this address or with your username, ${username}.` },
  ]);
}

export function passwordResetMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Choose a new password for ${appName}`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `somebody, probably you, has asked for a new password at ${appName}.` },
    { button: 'Choose a new password', url: link },
    { paragraph: `The link works once, for ${duration(seconds)}. It ends all your sessions.` },
    { paragraph: 'If you did not ask for this, you need not do anything: your password stays as it is.' },
  ]);
}

export function emailChangeRequestedMail({ appName, name, link, seconds }: Action): MailContent {
  return renderMail(appName, `Your email address at ${appName} is about to change`, [
    { paragraph: `Hello ${name},` },
    {
      paragraph: `someone asked to replace this email address of your account at ${appName} with another one.`,
    },
    { paragraph: 'If this was you, confirm the new address with the link that we sent to it.' },
    { paragraph: 'If it was not you, someone knows your password. Stop the change and choose a new one:' },
    { button: 'Stop the change', url: link },
    {
      paragraph: `The link works once, for ${duration(seconds)}, also after the change. It ends all your sessions.`,
    },
  ]);
}

export function emailChangedMail({ appName, name, link, seconds }: Notice & Partial<Action>): MailContent {
  return renderMail(appName, `Your email address at ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `this is no longer the email address of your account at ${appName}.` },
    ...(link === undefined || seconds === undefined
      ? [{ paragraph: `If you did not expect this, contact ${appName}.` }]
      : [
          { paragraph: 'If it was not you, take your address back and choose a new password:' },
          { button: 'Take my address back', url: link },
          { paragraph: `The link works once, for ${duration(seconds)}. It ends all your sessions.` },
        ]),
  ]);
}

interface Notice {
  appName: string;
  name: string;
}

export function passwordChangedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your password at ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `the password of your account at ${appName} was changed, and other sessions were ended.` },
    { paragraph: 'If it was not you, request a password reset for this address right away.' },
  ]);
}

/** Without the username: where the address is not proven, a name that reads as a host would be a link for a stranger. */
export function usernameChangedMail({ appName, name }: Notice): MailContent {
  return renderMail(appName, `Your username at ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `the username of your account at ${appName} was changed.` },
    { paragraph: 'If it was not you, request a password reset for this address right away.' },
  ]);
}

export function roleChangedMail({
  appName,
  name,
  from,
  to,
}: Notice & { from: string; to: string }): MailContent {
  return renderMail(appName, `Your role at ${appName} was changed`, [
    { paragraph: `Hello ${name},` },
    { paragraph: `an administrator changed the role of your account at ${appName}.` },
    {
      facts: [
        ['Before', from],
        ['Now', to],
      ],
    },
    { paragraph: `If you did not expect this, contact ${appName}.` },
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
      ['Email', user.email === null ? '–' : shownAddress(user.email)],
      ['Role', user.role],
      ['Registered', user.createdAt],
      ['Id', user.id],
    ],
  };
  return renderMail(appName, `New user at ${appName}: ${user.username}`, [
    { paragraph: `A new user is registered at ${appName}.` },
    facts,
  ]);
}

function duration(seconds: number): string {
  const [count, unit] =
    seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : [Math.floor(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
