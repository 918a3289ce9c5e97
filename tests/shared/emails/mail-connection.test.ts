import { mailConnections } from '../../../shared/emails/mail-connection';
import { freeze } from '../../setup/flaky-database';
import { type MailServer, startMailServer } from '../../setup/mail-server';
import { startProxy, type TcpProxy } from '../../setup/proxy';

const LONG_MS = 60_000;
const KEPT_MS = 1_000;

let server: MailServer;
let proxy: TcpProxy;
beforeEach(async () => {
  server = await startMailServer();
  proxy = await startProxy(server.url);
});
afterEach(async () => {
  await proxy.stop();
  await server.stop();
});

const mail = (subject: string) => ({ from: 'a@example.com', to: 'b@example.com', subject, text: subject });
const subjects = () => server.mails.map(({ subject }) => subject);

test('mails share a connection', async () => {
  const send = mailConnections(LONG_MS);
  for (const subject of ['one', 'two', 'three']) await send(server.url, mail(subject), LONG_MS);
  expect([subjects(), server.connections()]).toEqual([['one', 'two', 'three'], 1]);
});

test('one that the server gives up as it reads of the next mail is replaced', async () => {
  const send = mailConnections(LONG_MS);
  await send(server.url, mail('one'), LONG_MS);
  server.endAtNextMail();
  await send(server.url, mail('two'), LONG_MS);
  expect([subjects(), server.connections()]).toEqual([['one', 'two'], 2]);
});

test('one from before a freeze is not used again, however alive it looks', async () => {
  const send = mailConnections(KEPT_MS);
  await send(proxy.url, mail('one'), LONG_MS);
  proxy.silence();
  freeze(KEPT_MS + 100);
  await send(proxy.url, mail('two'), LONG_MS);
  expect([subjects(), server.connections()]).toEqual([['one', 'two'], 2]);
});

test('a mail that was not accepted in time is not sent later', async () => {
  const send = mailConnections(LONG_MS);
  await send(proxy.url, mail('one'), LONG_MS);
  const end = proxy.silence();
  await expect(send(proxy.url, mail('late'), 200)).rejects.toMatchObject({ code: 'EABORT' });
  end();
  await send(proxy.url, mail('next'), LONG_MS);
  expect(subjects()).toEqual(['one', 'next']);
});
