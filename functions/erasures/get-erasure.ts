// GET /erasures/{id}: one case, with its receipts.
import { containerContext } from '../../shared/context/context';
import { findCase } from '../../shared/erasure/case-store';
import { DomainError } from '../../shared/errors';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Erasure } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get an erasure',
  replies: { 200: { description: 'The case, with its receipts', body: Erasure } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:read'),
  path: path({ id: Id }),
  handle: async ({ ctx, path }) => {
    const found = await findCase(ctx.db, path.id, ctx.now());
    if (!found) throw new DomainError('not_found', { detail: 'Erasure not found' });
    return reply(200, found);
  },
});
