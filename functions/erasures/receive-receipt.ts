// POST /erasures/{id}/receipts: a data holder answers, with its key; or an administrator for one that cannot.
import { containerContext } from '../../shared/context/context';
import { ReceiptBody } from '../../shared/erasure/receipt';
import { receiveReceipt } from '../../shared/erasure/receive-receipt';
import { endpoint } from '../../shared/http/endpoint';
import { holderOr } from '../../shared/http/holder-or';
import { json, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Answer to an erasure',
  description:
    'A data holder sends its key (`POST /data-holders/{name}/key`) as the bearer token. The first answer counts; a repeated one changes nothing. An administrator answers for a holder that cannot, with `holder`: that is in the audit log.',
  example: { outcome: 'erased' },
  replies: { 204: { description: 'The receipt is recorded, or was before' } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: holderOr('erasures:write'),
  path: path({ id: Id }),
  body: json(ReceiptBody),
  handle: async ({ ctx, holder: keyHolder, path, body, origin }) => {
    const { holder, ...answer } = body;
    await receiveReceipt(ctx, { kind: 'erasure', caseId: path.id, answer, keyHolder, holder }, origin);
    return reply(204);
  },
});
