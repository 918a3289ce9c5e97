// DELETE /console/session: ends the caller's session and has the browser forget its cookie.
import { expiredCookie } from '../../shared/console/session-cookie';
import { containerContext } from '../../shared/context/context';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import type { Documentation } from '../../shared/openapi/documentation';
import { logOutHere } from '../../shared/sign-in/log-out';

export const documentation = {
  summary: 'Log out of the console',
  replies: { 204: { description: 'The session has ended', headers: ['set-cookie'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  handle: async ({ ctx, caller, origin, pageOrigin }) => {
    await logOutHere(ctx, caller, origin);
    return { status: 204, cookies: [expiredCookie(ctx.config, pageOrigin)] };
  },
});
