// GET /exports/{id}: who has answered to an export, without the data.
import { containerContext } from '../../shared/context/context';
import { getExport } from '../../shared/exports/get-export';
import { ownerOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Export } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get an export',
  description: 'Its state and receipts. `GET /exports/{id}/data` has the data.',
  replies: { 200: { description: 'The case, with its receipts', body: Export } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: ownerOr('erasures:read'),
  handle: async ({ ctx, id, ...asker }) => reply(200, await getExport(ctx, asker, id)),
});
