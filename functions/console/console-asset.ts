// GET /console/{asset}: script and style of the console.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { assetPath, assetReplies, assetReply } from '../../shared/http/asset-reply';
import { endpoint } from '../../shared/http/endpoint';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Script or style of the console',
  replies: assetReplies,
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  path: assetPath,
  handle: async ({ path: { asset } }) => assetReply('console', asset),
});
