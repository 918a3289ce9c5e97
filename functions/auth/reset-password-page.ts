// GET /reset-password: the page that the link of a reset mail leads to. Its form posts the token and the password.
import { type Context, containerContext } from '../../shared/context';
import { resetPasswordPage } from '../../shared/emails/link-pages';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply, type Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';

export async function showResetPassword(_request: Request, ctx: Context): Promise<Reply> {
  const { html, policy } = resetPasswordPage(ctx.config.mail.appName);
  return htmlReply(html, policy);
}

export const handler = endpoint(containerContext, showResetPassword);
