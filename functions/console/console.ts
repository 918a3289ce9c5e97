// GET /console: the console, a page that shows and operates the service through this API.
import { CONSOLE_POLICY, consolePage } from '../../shared/console/page';
import { plainContext } from '../../shared/context/plain-context';
import { DomainError } from '../../shared/errors';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Operate the service in a browser',
  description: 'With `CONSOLE=off` there is none: 404.',
  replies: {
    200: {
      description: 'A page without third-party resources',
      contentType: 'text/html',
      headers: ['cache-control', 'content-security-policy'],
    },
  },
  errors: ['not_found'],
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ ctx: { config } }) => {
    if (!config.hasConsole) throw new DomainError('not_found', { detail: 'The console is off' });
    const page = await consolePage(config);
    // Asked for each time: it names the current versions of the files.
    return htmlReply(page, CONSOLE_POLICY, { 'cache-control': 'no-cache' });
  },
});
