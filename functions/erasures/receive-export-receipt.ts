// POST /exports/{id}/receipts: a data holder answers, with its key; or an administrator for one that cannot.
import { containerContext } from '../../shared/context/context';
import { ExportReceiptBody } from '../../shared/erasure/receipt';
import { receiveReceipt } from '../../shared/erasure/receive-receipt';
import { endpoint } from '../../shared/http/endpoint';
import { holderOr } from '../../shared/http/holder-or';
import { json, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Answer to an export',
  description:
    'As for an erasure, with what the data holder has of the user: `data`, or a `url` to get it from if it does not fit in a body. Whoever opens the `url` has to prove there who they are. The export takes 2.9 MB in all.',
  example: { outcome: 'exported', data: { orders: [{ id: 'A-17', total: '12.50' }] } },
  replies: { 204: { description: 'The receipt is recorded, or was before' } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: holderOr('erasures:write'),
  path: path({ id: Id }),
  body: json(ExportReceiptBody),
  handle: async ({ ctx, holder: keyHolder, path, body, origin }) => {
    const { holder, ...answer } = body;
    await receiveReceipt(ctx, { kind: 'export', caseId: path.id, answer, keyHolder, holder }, origin);
    return reply(204);
  },
});
