import { sendMail } from '../../../shared/emails/send-mail';
import type { MailContent } from '../../../shared/emails/templates';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { startProxy, type TcpProxy } from '../../setup/proxy';

let flow: MailContext;
let proxy: TcpProxy;
beforeEach(async () => {
  flow = await mailContext();
  proxy = await startProxy(flow.server.url);
});
afterEach(async () => {
  await proxy.stop();
  await flow.close();
});

const content: MailContent = { subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' };

function send(timeoutMs: number): Promise<boolean> {
  const mail = { ...flow.ctx.config.mail, smtpUrl: proxy.url };
  const ctx = { ...flow.ctx, config: { ...flow.ctx.config, mail } };
  return sendMail(ctx, 'message-1', { name: '', address: 'ada@example.com' }, content, timeoutMs);
}

test('a mail that a silent server has not accepted in time fails with a reason', async () => {
  proxy.blackHole();
  await expect(send(200)).rejects.toThrow(
    'The email was not sent: the mail server did not accept it in time',
  );
});

test('a mail whose connection breaks fails with a reason', async () => {
  proxy.cutAt('MAIL FROM');
  await expect(send(60_000)).rejects.toThrow('The email was not sent: ECONNECTION: Connection closed');
});
