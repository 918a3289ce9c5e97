import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface MailServer {
  url: string;
  /** What was accepted, in order, with the envelope's recipients. */
  mails: (Email & { recipients: string[]; raw: string })[];
  /** How many connections it has taken. */
  connections(): number;
  /** From now on it ends the connection where it reads of another mail, as a server does that has waited for long. Once. */
  endAtNextMail(): void;
  /** From now on recipients get no answer before `release`. `waiting` resolves when one waits. */
  holdRecipients(): { waiting: Promise<void>; release(): void };
  /** From now on mails to this address, or to any, are refused with this SMTP code; undefined: none is. */
  refuse: { code: number; text?: string; address?: string | null } | undefined;
  stop(): Promise<void>;
}

/** A real SMTP server that keeps what it is sent. @param port that of an earlier one, to come back on */
export async function startMailServer(port = 0): Promise<MailServer> {
  let connections = 0;
  let endsAtNextMail = false;
  let mayAnswer = async (): Promise<void> => {};
  const endConnections = () => {
    for (const connection of smtp.connections) connection.close();
  };
  const smtp = new SMTPServer({
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    onMailFrom: (_address, _session, done) => {
      if (!endsAtNextMail) return done();
      endsAtNextMail = false;
      endConnections();
    },
    onRcptTo: async ({ address }, _session, done) => {
      await mayAnswer();
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
    connections: () => connections,
    endAtNextMail: () => {
      endsAtNextMail = true;
    },
    holdRecipients: () => {
      let release = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      const waiting = new Promise<void>((resolve) => {
        mayAnswer = () => {
          resolve();
          return released;
        };
      });
      return { waiting, release };
    },
    refuse: undefined,
    stop: () => {
      const closed = new Promise<void>((resolve) => smtp.close(() => resolve()));
      endConnections();
      return closed;
    },
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
