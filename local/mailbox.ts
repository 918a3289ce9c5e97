import { createServer } from 'node:http';
import type { Server } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { answerMailbox, type CaughtMail } from './mailbox-page';

const HOST = '127.0.0.1';
const MAX_MESSAGES = 200;
const MAX_BYTES = 5 * 1024 * 1024;

export interface Mailbox {
  /** The value for `SMTP_URL`. */
  url: string;
  /** The URL of the page that shows the mails. */
  page: string;
  /** Newest first. */
  messages: CaughtMail[];
  stop(): Promise<void>;
}

/**
 * For development: accepts every mail over SMTP, delivers none, and shows them on a page. Both listen on loopback only and
 * keep mails in memory, because mails contain links with secret tokens.
 * @param ports 0 for any free port
 */
export async function startMailbox(ports: { smtp: number; page: number }): Promise<Mailbox> {
  const messages: CaughtMail[] = [];
  let lastId = 0;
  const smtp = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    // Clients would refuse a self-signed certificate, and loopback needs no TLS.
    disabledCommands: ['STARTTLS'],
    size: MAX_BYTES,
    onAuth: (_credentials, _session, done) => done(null, { user: 'anyone' }),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map((recipient) => recipient.address);
        readMail(Buffer.concat(chunks), to, ++lastId).then(
          (mail) => {
            messages.unshift(mail);
            messages.length = Math.min(messages.length, MAX_MESSAGES);
            done();
          },
          (error: Error) => done(error),
        );
      });
    },
  });
  // Without a listener, a client that hangs up would end the process.
  smtp.on('error', () => {});
  const page = createServer((request, response) => answerMailbox(messages, request, response));

  const stop = async () => {
    page.closeAllConnections();
    await Promise.all([close(smtp.server, smtp), close(page, page)]);
  };
  try {
    const smtpPort = await listen(smtp.server, ports.smtp);
    const pagePort = await listen(page, ports.page);
    return { url: `smtp://${HOST}:${smtpPort}`, page: `http://localhost:${pagePort}`, messages, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readMail(raw: Buffer, to: string[], id: number): Promise<CaughtMail> {
  const mail = await PostalMime.parse(raw);
  const text = mail.text ?? '';
  return {
    id,
    receivedAt: new Date().toISOString(),
    from: mail.from?.address ?? '',
    to,
    subject: mail.subject ?? '',
    messageId: mail.messageId ?? '',
    text,
    html: mail.html ?? null,
    links: [...new Set(text.match(/https?:\/\/[^\s<>"]+/g))],
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** @param closing the object to close it with: the SMTP server also ends open connections */
async function close(server: Server, closing: { close(done: () => void): unknown }): Promise<void> {
  if (server.listening) await new Promise<void>((resolve) => closing.close(resolve));
}
