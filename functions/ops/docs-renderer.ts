// GET /docs/openapi-explorer.js: the script that renders /docs. The build copies it from its npm package.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Script that renders the documentation',
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
      // The page requests it with a version in the query.
      'cache-control': 'public, max-age=31536000, immutable',
    });
  },
});
