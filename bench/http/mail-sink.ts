import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export interface MailSink {
  /** For `SMTP_URL`. */
  url: string;
  stop(): void;
}

/** Accepts every mail at once and forgets it (RFC 5321). The mailbox of `npm start` lets each client wait for 100 ms. */
export async function startMailSink(): Promise<MailSink> {
  const server = createServer((socket) => {
    let received = '';
    let inMail = false;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received += data.toString('latin1');
      for (;;) {
        const terminator = inMail ? '\r\n.\r\n' : '\r\n';
        const end = received.indexOf(terminator);
        if (end < 0) return;
        const command = inMail ? '' : received.slice(0, end).toUpperCase();
        received = received.slice(end + terminator.length);
        inMail = command === 'DATA';
        socket.write(inMail ? '354 Go on\r\n' : command === 'QUIT' ? '221 Bye\r\n' : '250 OK\r\n');
        if (command === 'QUIT') socket.end();
      }
    });
    socket.write('220 localhost\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, stop: () => void server.close() };
}
