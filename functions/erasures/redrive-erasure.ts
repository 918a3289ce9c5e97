// POST /erasures/{id}/holders/{name}/redrive: sends the request to a data holder's queue again.
import { containerContext } from '../../shared/context/context';
import { HolderName } from '../../shared/erasure/data-holder';
import { redriveErasure } from '../../shared/erasure/redrive-erasure';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Ask a data holder again',
  description: 'Sends `user.erasure_requested` to the `queue` of the data holder, with the same id.',
  replies: { 202: { description: 'It will be sent' } },
  errors: ['not_redrivable'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:write'),
  path: path({ id: Id, name: HolderName }),
  handle: async ({ ctx, path, origin }) => {
    await redriveErasure(ctx, path.id, path.name, origin);
    return reply(202);
  },
});
