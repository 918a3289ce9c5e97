// Queue rollcall.emails: emails to users: verification, welcome, password reset and change notices.
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';
import {
  FACTOR_NOTICES,
  sendPasswordNotice,
  sendPasswordRemovedNotice,
  sendRoleNotice,
} from '../../shared/emails/send-account-notices';
import {
  sendEmailChangeNotice,
  sendEmailChangeRequestNotice,
} from '../../shared/emails/send-email-change-notices';
import { sendPasswordReset } from '../../shared/emails/send-password-reset';
import { sendUpdateMails } from '../../shared/emails/send-update-mails';
import { sendVerification } from '../../shared/emails/send-verification';
import { sendWelcome } from '../../shared/emails/send-welcome';

export const emails = (context: () => Context) =>
  consumer(
    'emails',
    {
      'user.created': (event, tx, ctx) => sendVerification(event, tx, ctx, event.data.email),
      'user.updated': sendUpdateMails,
      'user.email_change_requested': sendEmailChangeRequestNotice,
      'user.email_changed': sendEmailChangeNotice,
      'user.password_changed': sendPasswordNotice,
      'user.password_removed': sendPasswordRemovedNotice,
      'user.role_changed': sendRoleNotice,
      ...FACTOR_NOTICES,
      'user.verification_requested': sendVerification,
      'user.email_verified': sendWelcome,
      'user.password_reset_requested': sendPasswordReset,
    },
    context,
    'each',
  );

export const handler = emails(containerContext);
