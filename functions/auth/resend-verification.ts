// POST /verify-email/resend: another verification mail for the caller. 202 also where there is nothing to verify.
import { containerContext } from '../../shared/context/context';
import { requestVerification } from '../../shared/email-addresses/request-verification';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Accepted } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Send another verification mail',
  replies: { 202: { description: 'Sent soon, if there is something to verify', body: Accepted } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  limit: byAddress('mailAddress'),
  handle: async ({ ctx, caller, origin }) => {
    await requestVerification(ctx, caller.user, origin);
    return reply(202, { status: 'accepted' });
  },
});
