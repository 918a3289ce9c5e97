// GET /docs/openapi-explorer.js: what renders /docs, from its npm package. The build puts it beside this bundle.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';

export const operation = {
  summary: 'Read the script that renders the pages',
  auth: 'none',
  replies: {
    200: {
      description: 'openapi-explorer, compressed with gzip',
      contentType: 'text/javascript',
      headers: ['cache-control'],
    },
  },
} satisfies Operation;

export async function docsRenderer(_request: Request, _ctx: PlainContext): Promise<Reply> {
  const script = await readFile(join(__dirname, 'openapi-explorer.js.gz'));
  return reply(200, script, {
    'content-type': 'text/javascript; charset=utf-8',
    'content-encoding': 'gzip',
    // The page asks for it by its version.
    'cache-control': 'public, max-age=31536000, immutable',
  });
}

export const handler = endpoint(plainContext, docsRenderer);
