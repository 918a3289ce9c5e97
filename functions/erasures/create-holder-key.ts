// POST /data-holders/{name}/key: a key with which a data holder answers by HTTP.
import { containerContext } from '../../shared/context/context';
import { createHolderKey } from '../../shared/erasure/change-data-holder';
import { HolderName } from '../../shared/erasure/data-holder';
import { permission, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DataHolderWithKey } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Create a key for a data holder',
  description: 'Only this response contains it. An earlier key stops working.',
  replies: { 201: { description: 'The data holder, with its key', body: DataHolderWithKey } },
  errors: ['not_found'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: recently(permission('erasures:write')),
  path: path({ name: HolderName }),
  handle: async ({ ctx, path, origin }) => reply(201, await createHolderKey(ctx, path.name, origin)),
});
