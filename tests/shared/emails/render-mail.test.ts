import { renderMail } from '../../../shared/emails/render-mail';
import { verificationMail } from '../../../shared/emails/templates';
import { oneLine } from '../../../shared/plain-text';

test('escapes in HTML what means something there, and nothing in text', () => {
  const nasty = `"><img src=x onerror='a'>&amp;`;
  const mail = renderMail('App', 'Subject', [
    { paragraph: nasty },
    { button: nasty, url: `https://example.com/?a=1&b="` },
    { facts: [[nasty, nasty]] },
  ]);
  expect(mail.html).not.toContain('<img');
  expect(mail.html.match(/&quot;&gt;&lt;img src=x onerror=&#39;a&#39;&gt;&amp;amp;/g)).toHaveLength(4);
  expect(mail.html).toContain('href="https://example.com/?a=1&amp;b=&quot;"');
  expect(mail.text).toContain(nasty);
});

test.each([
  ['a\r\nBcc: b@example.com', 'a Bcc: b@example.com'],
  ['a\u2028b\u2029c', 'a b c'],
  ['a\0\x1b[31mb\x7f', 'a [31mb'],
  ['evil\u202egnp.exe', 'evil gnp.exe'],
  ['  Zoë 👩\u200d🚀 名前  ', 'Zoë 👩\u200d🚀 名前'],
])('keeps %j on one line, as it reads', (text, expected) => {
  expect(oneLine(text)).toBe(expected);
});

test('the subject takes no second line', () => {
  expect(renderMail('App', 'a\r\nBcc: b@example.com', []).subject).toBe('a Bcc: b@example.com');
});

test.each([
  [3600, '1 hour'],
  [86_400, '24 hours'],
  [1800, '30 minutes'],
  [60, '1 minute'],
  [5400, '90 minutes'],
])('%i seconds are %s', (seconds, words) => {
  const { text } = verificationMail({ appName: 'App', name: 'G', link: 'https://example.com', seconds });
  expect(text).toContain(`once and expires in ${words}.`);
});
