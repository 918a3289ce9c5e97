// Queue rollcall.emails: the mails that users get. Verification, welcome, password reset.
import { type Context, containerContext } from '../../shared/context';
import { sendPasswordReset } from '../../shared/emails/send-password-reset';
import { sendVerification } from '../../shared/emails/send-verification';
import { sendWelcome } from '../../shared/emails/send-welcome';
import { consumer } from '../../shared/events/consumer';

export const emails = (context: () => Context) =>
  consumer(
    'emails',
    {
      'user.created': (event, tx, ctx) => sendVerification(event, tx, ctx, event.data.email),
      'user.updated': async (event, tx, ctx) => {
        if ('email' in event.data.changes) await sendVerification(event, tx, ctx, event.data.email);
      },
      'user.verification_requested': sendVerification,
      'user.email_verified': sendWelcome,
      'user.password_reset_requested': sendPasswordReset,
    },
    context,
    'each',
  );

export const handler = emails(containerContext);
