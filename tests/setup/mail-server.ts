import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface MailServer {
  url: string;
  /** What was accepted, in order, with the envelope's recipients. */
  mails: (Email & { recipients: string[]; raw: string })[];
  /** From now on mails to this address, or to any, are refused with this SMTP code; undefined: none is. */
  refuse: { code: number; text?: string; address?: string | null } | undefined;
  stop(): Promise<void>;
}

/** A real SMTP server that keeps what it is sent. @param port that of an earlier one, to come back on */
export async function startMailServer(port = 0): Promise<MailServer> {
  const smtp = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, done) => {
      const { code, text = `No luck for <${address}>`, address: only = address } = server.refuse ?? {};
      if (code === undefined || only !== address) return done();
      done(Object.assign(new Error(text), { responseCode: code }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const recipients = session.envelope.rcptTo.map((recipient) => recipient.address);
        server.mails.push({ ...(await PostalMime.parse(raw)), recipients, raw: raw.toString() });
        done();
      });
    },
  });
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(port, '127.0.0.1', resolve));
  const { port: listening } = smtp.server.address() as AddressInfo;
  const server: MailServer = {
    url: `smtp://127.0.0.1:${listening}`,
    mails: [],
    refuse: undefined,
    stop: () => new Promise((resolve) => smtp.close(() => resolve())),
  };
  return server;
}

/** The token of the link in a mail. */
export function tokenIn(mail: { text?: string | undefined } | undefined): string {
  const token = /[?&]token=([\w-]+)/.exec(mail?.text ?? '')?.[1];
  if (token === undefined) throw new Error(`There is no link in: ${mail?.text}`);
  return token;
}

/** The code in a mail that one can sign in with. */
export function codeIn(mail: { text?: string | undefined } | undefined): string {
  const code = /^(\d{6})$/m.exec(mail?.text ?? '')?.[1];
  if (code === undefined) throw new Error(`There is no code in: ${mail?.text}`);
  return code;
}
