import * as v from 'valibot';
import { ASSETS, type Asset, type Frontend, readAsset } from '../assets';
import type { Documentation } from '../openapi/documentation';
import { path } from './parts';
import { type Reply, reply } from './reply';

/** The file in the path. */
export const assetPath = /* @__PURE__ */ path({ asset: v.picklist(Object.keys(ASSETS) as Asset[]) });

/** For the documentation. */
export const assetReplies = {
  200: {
    description: 'The file, compressed with gzip',
    contentType: ['text/javascript', 'text/css'],
    headers: ['cache-control'],
  },
} satisfies Documentation['replies'];

/** A file of a front end. */
export async function assetReply(frontend: Frontend, asset: Asset): Promise<Reply> {
  return reply(200, await readAsset(frontend, asset), {
    'content-type': ASSETS[asset],
    'content-encoding': 'gzip',
    // The page requests it with its version in the query.
    'cache-control': 'public, max-age=31536000, immutable',
  });
}
