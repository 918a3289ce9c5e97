import { createTransport } from 'nodemailer';
import type { Mailbox } from '../config/mailboxes';
import type { Context } from '../context/context';
import { PermanentError } from '../errors';
import type { MailContent } from './templates';

const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 10_000;
/** Shorter than any sensible first retry, longer than it takes to go through the rest of a batch. */
const PAUSE_MS = 2_000;

/** By server: until when it is not asked again. */
const pausedUntil = new Map<string, number>();

/**
 * Hands a mail to the mail server, and returns once that has taken it. SMTP knows no exactly once: where the
 * server's answer, or the commit after it, is lost, the event comes again and so does the mail. `messageId` is made
 * of the event's id, so that it is the same every time, and servers and mail programs that look can tell.
 * @throws PermanentError where the server knows that there is no such mailbox
 * @throws Error where no server took it: the event is to be tried again. The text names no address, so it can be logged
 */
export async function sendMail(
  ctx: Context,
  messageId: string,
  to: Mailbox | Mailbox[],
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
      messageId: `<${messageId}@${from.address.replace(/^.*@/, '')}>`,
      ...content,
      // RFC 3834, section 5: keeps holiday replies and the like from answering.
      headers: { 'auto-submitted': 'auto-generated' },
    });
  } catch (error) {
    const { text, aboutThisMail } = describe(error);
    if (isNoMailbox(error)) throw new PermanentError(`The mail was not sent: ${text}`);
    if (!aboutThisMail) pausedUntil.set(smtpUrl, now + PAUSE_MS);
    throw new Error(`The mail was not sent: ${text}`);
  }
}

/** Of RFC 3463 and RFC 7505: no such address, moved, takes no mail; not what is wrong with the sender, or policy. */
const NO_MAILBOX = /^5\.(1\.(0|1|2|3|6|10)|2\.1)$/;
/** Without such a code, RFC 5321, section 4.2.3: bad syntax, mailbox unavailable, not local, not allowed. */
const NO_MAILBOX_REPLIES = ['501', '550', '551', '553'];
/** With 501: the command's syntax (RFC 3463, section 3.6). Of ours, the address is all that changes. */
const BAD_SYNTAX = /^5\.5\.[24]$/;

/** Whether every recipient was refused for good (RFC 5321, section 4.2.1), because of who it is. */
function isNoMailbox(error: unknown): boolean {
  if (!(error instanceof Error) || !('rejectedErrors' in error)) return false;
  const refusals: unknown[] = Array.isArray(error.rejectedErrors) ? error.rejectedErrors : [];
  const replies = refusals.map((refusal) =>
    refusal instanceof Error && 'response' in refusal ? String(refusal.response) : '',
  );
  return (
    replies.length > 0 &&
    replies.every((reply) => {
      const [, code = '', status] = /^(\d{3})(?:[ -](\d\.\d+\.\d+)\b)?/.exec(reply) ?? [];
      if (status === undefined) return NO_MAILBOX_REPLIES.includes(code);
      return NO_MAILBOX.test(status) || (code === '501' && BAD_SYNTAX.test(status));
    })
  );
}

// The lengths of RFC 5321, section 4.5.3.1, and so no search through the rest of a long answer at each character.
const ADDRESS = /[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}/g;

/** Without the cause: servers repeat the recipient in what they answer, and that belongs in no log. */
function describe(error: unknown): { text: string; aboutThisMail: boolean } {
  if (!(error instanceof Error)) return { text: String(error), aboutThisMail: false };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return {
    text: `${code}: ${error.message.replace(ADDRESS, '[address]')}`,
    // nodemailer's names for a refused sender, recipient or text.
    aboutThisMail: code === 'EENVELOPE' || code === 'EMESSAGE',
  };
}
