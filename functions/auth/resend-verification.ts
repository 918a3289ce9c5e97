// POST /verify-email/resend: sends the caller another verification email. 202 even if there is nothing to verify.
import { containerContext } from '../../shared/context/context';
import { requestVerification } from '../../shared/email-addresses/request-verification';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Accepted } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Resend the verification email',
  replies: { 202: { description: 'The email is sent if an address is unverified', body: Accepted } },
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
