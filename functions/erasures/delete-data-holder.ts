// DELETE /data-holders/{name}: removes a service that holds no more copies of users' data.
import { containerContext } from '../../shared/context/context';
import { deleteDataHolder } from '../../shared/erasure/change-data-holder';
import { HolderName } from '../../shared/erasure/data-holder';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Remove a data holder',
  description:
    'Not while an open case awaits its answer: send the receipt first, if need be as an administrator. Closed cases keep its receipts.',
  replies: { 204: { description: 'The data holder is removed' } },
  errors: ['holder_awaited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:write'),
  path: path({ name: HolderName }),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, path, headers, origin }) => {
    await deleteDataHolder(ctx, path.name, headers['if-match'], origin);
    return reply(204);
  },
});
