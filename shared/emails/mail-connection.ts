import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';

const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 10_000;
/** How long a connection waits for the next email. Long enough for those of a batch. */
const KEPT_MS = 1_000;

/**
 * @param timeoutMs a whole number
 * @throws what nodemailer throws; an error with the code `EABORT` if the email was not accepted within the time
 */
type SendMail = (smtpUrl: string, email: SendMailOptions, timeoutMs: number) => Promise<void>;

/** Sends emails, those to one server over one connection if each follows soon on the one before. */
export function mailConnections(keptMs = KEPT_MS): SendMail {
  /** By the URL of the server. */
  const servers = new Map<string, { transport: Transporter; usedAt: number }>();

  return async (smtpUrl, email, timeoutMs) => {
    let server = servers.get(smtpUrl);
    // Wall clock time, which includes the time that the container was frozen: the connection may be dead by then, and look
    // alive. It is closed by its own timer.
    if (!server || Math.abs(Date.now() - server.usedAt) > keptMs) {
      server = { transport: connectTo(smtpUrl, keptMs), usedAt: 0 };
      servers.set(smtpUrl, server);
    }
    server.usedAt = Date.now();
    // Without the signal, nodemailer would still send the email by another connection when nobody waits for it any more.
    await server.transport.sendMail({ ...email, signal: AbortSignal.timeout(timeoutMs) });
    server.usedAt = Date.now();
  };
}

export const sendOverConnection = mailConnections();

function connectTo(url: string, keptMs: number): Transporter {
  return createTransport({
    url,
    pool: true,
    idleTimeout: keptMs,
    // If the server has given up a connection before it read any of an email, another one takes it.
    maxRequeues: 1,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: SILENCE_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
