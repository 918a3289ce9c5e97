import { createHash } from 'node:crypto';
import { handler as resetPasswordPage } from '../../../functions/auth/reset-password-page';
import { handler as undoEmailChangePage } from '../../../functions/auth/undo-email-change-page';
import { handler as verifyEmailPage } from '../../../functions/auth/verify-email-page';
import { type TestContext, testContext } from '../../setup/context';
import { httpEvent } from '../../setup/http-event';

let ctx: TestContext;

beforeAll(async () => {
  ctx = await testContext({ APP_NAME: 'Tom & <Jerry>' });
});
afterAll(() => ctx.close());

test.each([
  ['/verify-email', verifyEmailPage],
  ['/reset-password', resetPasswordPage],
  ['/undo-email-change', undoEmailChangePage],
])(
  'GET %s shows a page that only its own script can act on, and does not echo the token',
  async (path, show) => {
    const query = { token: 'secret-token"><script>' };
    const { statusCode, headers, body } = await show.in(() => ctx)(httpEvent({ path, query }));
    expect([statusCode, headers?.['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
    expect(body).not.toContain('secret-token');
    expect(body).toContain('Tom &amp; &lt;Jerry&gt;');
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ]) {
      const source = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(body ?? '')?.[1] ?? '';
      const hash = createHash('sha256').update(source).digest('base64');
      expect(headers?.['content-security-policy']).toContain(`${directive} 'sha256-${hash}'`);
    }
    expect(JSON.stringify(ctx.logged)).not.toContain('secret-token');
  },
);
