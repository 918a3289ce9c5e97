import { createTransport } from 'nodemailer';
import type { Context } from '../context';
import type { MailContent } from './templates';

const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 10_000;
/** Shorter than any sensible first retry, longer than it takes to go through the rest of a batch. */
const PAUSE_MS = 2_000;

export interface Recipient {
  name: string;
  address: string;
}

/** By server: until when it is not asked again. */
const pausedUntil = new Map<string, number>();

/**
 * Hands a mail to the mail server, and returns once that has taken it. SMTP knows no exactly once: where the
 * server's answer, or the commit after it, is lost, the event comes again and so does the mail. `messageId` is made
 * of the event's id, so that it is the same every time, and servers and mail programs that look can tell.
 * @throws Error where no server took it: the event is to be tried again. The text names no address, so it can be logged
 */
export async function sendMail(
  ctx: Context,
  messageId: string,
  to: Recipient | string[],
  content: MailContent,
): Promise<void> {
  const { smtpUrl, from } = ctx.config.mail;
  if (smtpUrl === 'off') return;
  if (smtpUrl === undefined) {
    throw new Error(
      'SMTP_URL is not set. Set it to your mail server, or to off for a service that sends no mail',
    );
  }
  const now = ctx.now().getTime();
  // Whoever cannot be reached was asked for up to ten seconds: the rest of a batch does not wait that long each.
  if (now < (pausedUntil.get(smtpUrl) ?? 0))
    throw new Error('The mail server could not be reached a moment ago');

  // A connection for each mail: one that is kept is dead after the container was frozen, and looks alive.
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: SILENCE_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to,
      messageId: `<${messageId}@${domainOf(from)}>`,
      ...content,
      // RFC 3834, section 5: keeps holiday replies and the like from answering.
      headers: { 'auto-submitted': 'auto-generated' },
    });
  } catch (error) {
    const { text, aboutThisMail } = describe(error);
    if (!aboutThisMail) pausedUntil.set(smtpUrl, now + PAUSE_MS);
    throw new Error(`The mail was not sent: ${text}`);
  }
}

function domainOf(mailbox: string): string {
  return mailbox.replace(/^.*@|>$/g, '');
}

/** Without the cause: servers repeat the recipient in what they answer, and that belongs in no log. */
function describe(error: unknown): { text: string; aboutThisMail: boolean } {
  if (!(error instanceof Error)) return { text: String(error), aboutThisMail: false };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return {
    text: `${code}: ${error.message.replace(/[^\s<>"']+@[^\s<>"']+/g, '[address]')}`,
    // nodemailer's names for a refused sender, recipient or text.
    aboutThisMail: code === 'EENVELOPE' || code === 'EMESSAGE',
  };
}
