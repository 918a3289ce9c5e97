// GET /: leads to the console, or to the API's documentation if there is no console.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Go to the console',
  description: 'With `CONSOLE=off` it leads to `/docs`.',
  replies: { 302: { description: 'See `location`', headers: ['location'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ ctx: { config } }) =>
    reply(302, undefined, { location: config.hasConsole ? 'console' : 'docs' }),
});
