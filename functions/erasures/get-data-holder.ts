// GET /data-holders/{name}: one service that holds copies of users' data.
import { containerContext } from '../../shared/context/context';
import { HolderName } from '../../shared/erasure/data-holder';
import { findDataHolder } from '../../shared/erasure/data-holder-store';
import { DomainError } from '../../shared/errors';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfNoneMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DataHolder } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get a data holder',
  replies: { 200: { description: 'The data holder', body: DataHolder, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:read'),
  path: path({ name: HolderName }),
  headers: headers({ 'if-none-match': IfNoneMatch }),
  handle: async ({ ctx, path, headers }) => {
    const holder = await findDataHolder(ctx.db, path.name);
    if (!holder) throw new DomainError('not_found', { detail: 'Data holder not found' });
    return recordReply(holder, headers['if-none-match']);
  },
});
