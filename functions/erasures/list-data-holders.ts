// GET /data-holders: the services that hold copies of users' data.
import { containerContext } from '../../shared/context/context';
import { listDataHolders } from '../../shared/erasure/data-holder-store';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DataHolderList } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'List data holders',
  replies: { 200: { description: 'All data holders, by name', body: DataHolderList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:read'),
  handle: async ({ ctx }) => reply(200, { dataHolders: await listDataHolders(ctx.db) }),
});
