// POST /erasures/lookup: the cases of an address, for somebody who asks. A POST, because addresses do not belong into URLs.
import { containerContext } from '../../shared/context/context';
import { lookUpErasures } from '../../shared/erasure/look-up-erasures';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { ErasureLookup } from '../../shared/openapi/schemas';
import { Email } from '../../shared/users/fields';

export const documentation = {
  summary: 'Find the erasures of an address',
  description:
    'A case keeps a keyed hash of the address that the user had. With it, a person who asks can be told that they were erased, and when.',
  example: { email: 'gorden@example.com' },
  replies: { 200: { description: 'The newest cases, at most 100', body: ErasureLookup } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:read'),
  body: json(exactly({ email: Email })),
  handle: async ({ ctx, body }) => reply(200, { erasures: await lookUpErasures(ctx, body.email) }),
});
