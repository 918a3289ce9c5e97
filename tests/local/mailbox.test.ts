import { get } from 'node:http';
import { createTransport } from 'nodemailer';
import { type Mailbox, startMailbox } from '../../local/mailbox';

let mailbox: Mailbox;

beforeEach(async () => {
  mailbox = await startMailbox({ smtp: 0, page: 0 });
});
afterEach(() => mailbox.stop());

const send = (mail: Record<string, unknown> = {}) =>
  createTransport({ url: mailbox.url }).sendMail({
    from: 'Rollcall <no-reply@example.com>',
    to: 'gorden@example.com',
    subject: 'Hello',
    text: 'Look: https://example.com/verify-email?token=abc_1-2',
    ...mail,
  });

const fetchPage = async (path: string) => {
  const response = await fetch(mailbox.page.replace('localhost', '127.0.0.1') + path);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test('catches what is sent, and lists it newest first, with its links', async () => {
  await send();
  await send({
    subject: 'Second',
    to: ['a@example.com', 'b@example.com'],
    bcc: 'c@example.com',
    text: 'Zoë',
  });
  const { headers, text } = await fetchPage('/messages');
  expect(headers.get('content-type')).toContain('application/json');
  expect(JSON.parse(text).messages).toMatchObject([
    {
      id: 2,
      subject: 'Second',
      to: ['a@example.com', 'b@example.com', 'c@example.com'],
      text: 'Zoë\n',
      links: [],
    },
    {
      id: 1,
      from: 'no-reply@example.com',
      to: ['gorden@example.com'],
      subject: 'Hello',
      links: ['https://example.com/verify-email?token=abc_1-2'],
    },
  ]);
  const page = await fetchPage('/');
  expect(page.text.indexOf('Second')).toBeLessThan(page.text.indexOf('Hello'));
  expect(page.text).toContain('href="https://example.com/verify-email?token=abc_1-2"');
});

test('shows what others wrote as text, and HTML only in a frame without scripts', async () => {
  const nasty = '<script>alert(1)</script>';
  await send({ subject: nasty, text: nasty, html: `<p>hi</p>${nasty}` });
  const page = await fetchPage('/');
  expect(page.text).not.toContain(nasty);
  expect(page.text).toContain('<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const frame = await fetchPage('/messages/1.html');
  expect(frame.text).toContain('<p>hi</p>');
  expect(frame.headers.get('content-security-policy')).toMatch(/^sandbox (?!.*allow-scripts)/);
  expect(frame.headers.get('content-security-policy')).not.toContain('script-src');
});

test('knows no other page, and no page under another name', async () => {
  for (const path of ['/messages/1.html', '/favicon.ico']) expect((await fetchPage(path)).status).toBe(404);
  const status = await new Promise((resolve, reject) => {
    const { port } = new URL(mailbox.page);
    get({ host: '127.0.0.1', port, headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  expect(status).toBe(403);
});

test('keeps the newest two hundred', async () => {
  // On one connection: smtp-server lets each new one wait for a tenth of a second.
  const transport = createTransport({ url: mailbox.url, pool: true, maxConnections: 1, maxMessages: 1000 });
  for (let index = 0; index < 201; index += 1) {
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: `Mail ${index}` });
  }
  transport.close();
  expect(mailbox.messages).toHaveLength(200);
  expect(mailbox.messages[0]?.subject).toBe('Mail 200');
});
