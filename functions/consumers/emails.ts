// Queue rollcall.emails: emails to users: verification, welcome, password reset, login codes, exports and change notices.
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';
import { ACCOUNT_NOTICES } from '../../shared/emails/send-account-notices';
import {
  sendEmailChangeNotice,
  sendEmailChangeRequestNotice,
} from '../../shared/emails/send-email-change-notices';
import { sendExportReady } from '../../shared/emails/send-export-ready';
import { sendLoginCode } from '../../shared/emails/send-login-code';
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
      ...ACCOUNT_NOTICES,
      'user.verification_requested': sendVerification,
      'user.email_verified': sendWelcome,
      'user.password_reset_requested': sendPasswordReset,
      'user.login_code_requested': sendLoginCode,
      'user.export_ready': sendExportReady,
    },
    context,
    'each',
  );

export const handler = emails(containerContext);
