// GET /console/{asset}: script and style of the console.
import * as v from 'valibot';
import { ASSETS, type Asset, readAsset } from '../../shared/console/assets';
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Script or style of the console',
  replies: {
    200: {
      description: 'The file, compressed with gzip',
      contentType: ['text/javascript', 'text/css'],
      headers: ['cache-control'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  path: path({ asset: v.picklist(Object.keys(ASSETS) as Asset[]) }),
  handle: async ({ path: { asset } }) =>
    reply(200, await readAsset(asset), {
      'content-type': ASSETS[asset],
      'content-encoding': 'gzip',
      // The page requests it with its version in the query.
      'cache-control': 'public, max-age=31536000, immutable',
    }),
});
