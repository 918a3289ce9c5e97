import type { Mailbox } from '../config/mailboxes';
import type { Context } from '../context/context';
import { PermanentError } from '../errors';
import { sendOverConnection } from './mail-connection';
import type { MailContent } from './templates';

/** Shorter than the first retry delay, longer than the rest of a batch takes. */
const PAUSE_MS = 2_000;

/** Per server: no connection attempts until this time. */
const pausedUntil = new Map<string, number>();

/**
 * Sends an email; returns when the mail server has accepted it. SMTP has no exactly-once delivery: if the server's reply
 * or the following commit is lost, a retry sends the email again. `messageId` derives from the event's id, so mail
 * servers and programs can recognize the duplicate.
 * @param timeoutMs an email that the server has not accepted by then is not sent any more
 * @returns false if emails are off (`SMTP_URL=off`)
 * @throws PermanentError if the server rejects the mailbox permanently
 * @throws Error if sending failed and should be retried. The message contains no address, so it can be logged
 */
export async function sendMail(
  ctx: Context,
  messageId: string,
  to: Mailbox | Mailbox[],
  content: MailContent,
  timeoutMs: number,
): Promise<boolean> {
  const { smtpUrl, from } = ctx.config.mail;
  if (smtpUrl === 'off') return false;
  if (smtpUrl === undefined) {
    throw new Error(
      'SMTP_URL is not set. Set it to the URL of your mail server, or to off to send no emails',
    );
  }
  const now = ctx.now().getTime();
  // An attempt to reach the server may take ten seconds; the rest of a batch must not wait that long for each email.
  if (now < (pausedUntil.get(smtpUrl) ?? 0)) throw new Error('The mail server was unreachable a moment ago');

  try {
    const email = {
      from,
      to,
      messageId: `<${messageId}@${from.address.replace(/^.*@/, '')}>`,
      ...content,
      // RFC 3834, section 5: suppresses automatic replies.
      headers: { 'auto-submitted': 'auto-generated' },
    };
    await sendOverConnection(smtpUrl, email, timeoutMs);
    return true;
  } catch (error) {
    const { text, aboutThisMail } = describe(error);
    if (isNoMailbox(error)) throw new PermanentError(`The email was not sent: ${text}`);
    if (!aboutThisMail) pausedUntil.set(smtpUrl, now + PAUSE_MS);
    throw new Error(`The email was not sent: ${text}`);
  }
}

/** RFC 3463 and RFC 7505: bad, moved or disabled mailbox; not codes about the sender or policies. */
const NO_MAILBOX = /^5\.(1\.(0|1|2|3|6|10)|2\.1)$/;
/** Without such a code, RFC 5321, section 4.2.3: syntax error, mailbox unavailable, not local, not allowed. */
const NO_MAILBOX_REPLIES = ['501', '550', '551', '553'];
/** With 501: syntax of the command (RFC 3463, section 3.6), of which only the address varies. */
const BAD_SYNTAX = /^5\.5\.[24]$/;

/** Whether the server rejected every recipient permanently (RFC 5321, section 4.2.1). */
function isNoMailbox(error: unknown): boolean {
  if (!(error instanceof Error) || !('rejectedErrors' in error)) return false;
  const rejections: unknown[] = Array.isArray(error.rejectedErrors) ? error.rejectedErrors : [];
  const replies = rejections.map((rejection) =>
    rejection instanceof Error && 'response' in rejection ? String(rejection.response) : '',
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

// Lengths of RFC 5321, section 4.5.3.1. They also bound the search at each character of a long reply.
const ADDRESS = /[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}/g;

/** Omits the cause: servers repeat the recipient in their replies, and addresses must not be logged. */
function describe(error: unknown): { text: string; aboutThisMail: boolean } {
  if (!(error instanceof Error)) return { text: String(error), aboutThisMail: false };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (code === 'EABORT') return { text: 'the mail server did not accept it in time', aboutThisMail: false };
  return {
    text: `${code}: ${error.message.replace(ADDRESS, '[address]')}`,
    // nodemailer's codes for a rejected sender, recipient or message.
    aboutThisMail: code === 'EENVELOPE' || code === 'EMESSAGE',
  };
}
