import { readConfig } from '../../../shared/config';

const read = (environment: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://localhost/db',
    RABBITMQ_URL: 'amqp://localhost',
    JWT_SECRET: 'a secret of the tests, long enough',
    ...environment,
  }).mail;

test('without a mail server nothing is decided, and the rest has defaults', () => {
  expect(read({ SMTP_URL: '' })).toEqual({
    smtpUrl: undefined,
    from: { name: 'Rollcall', address: 'no-reply@localhost' },
    adminAddresses: [],
    appName: 'Rollcall',
    publicUrl: 'http://localhost:3000',
    verifySeconds: 86_400,
    resetSeconds: 3600,
    undoSeconds: 604_800,
  });
});

test('takes a mail server or off, several addresses, and a base for links without its last slash', () => {
  expect(
    read({
      SMTP_URL: 'smtps://user:secret@mail.example.com:465',
      ADMIN_NOTIFY_EMAIL: 'a@example.com, B <b@example.com>',
      PUBLIC_URL: 'https://example.com/app/',
    }),
  ).toMatchObject({
    smtpUrl: 'smtps://user:secret@mail.example.com:465',
    adminAddresses: [
      { name: '', address: 'a@example.com' },
      { name: 'B', address: 'b@example.com' },
    ],
    publicUrl: 'https://example.com/app',
  });
  expect(read({ SMTP_URL: 'off' }).smtpUrl).toBe('off');
});

test.each([
  ['SMTP_URL', 'http://secret@example.com'],
  ['SMTP_URL', 'disabled'],
  ['MAIL_FROM', 'somebody'],
  ['MAIL_FROM', 'Rollcall <a@example.com>\r\nBcc: b@example.com'],
  ['ADMIN_NOTIFY_EMAIL', 'a@example.com,nobody'],
  ['PUBLIC_URL', 'example.com'],
  ['RESET_PASSWORD_SECONDS', '1h'],
])('names %s where it is %j, and does not repeat it', (variable, value) => {
  const attempt = () => read({ [variable]: value });
  expect(attempt).toThrow(new RegExp(`^  ${variable}\\S* must be`, 'm'));
  expect(attempt).not.toThrow(value);
});
