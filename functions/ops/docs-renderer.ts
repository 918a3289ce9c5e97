// GET /docs/openapi-explorer.js: what renders /docs, from its npm package. The build puts it beside this bundle.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Read the script that renders the pages',
  replies: {
    200: {
      description: 'openapi-explorer, compressed with gzip',
      contentType: 'text/javascript',
      headers: ['cache-control'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async () => {
    const script = await readFile(join(__dirname, 'openapi-explorer.js.gz'));
    return reply(200, script, {
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'gzip',
      // The page asks for it by its version.
      'cache-control': 'public, max-age=31536000, immutable',
    });
  },
});
