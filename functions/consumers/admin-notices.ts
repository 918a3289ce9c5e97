// Queue rollcall.admin-notices: emails the addresses in ADMIN_NOTIFY_EMAIL about every new user.
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';
import { sendNewUserNotice } from '../../shared/emails/send-new-user-notice';

export const adminNotices = (context: () => Context) =>
  consumer('admin-notices', { 'user.created': sendNewUserNotice }, context, ({ mail }) =>
    mail.adminAddresses.length > 0 ? 'each' : 'one',
  );

export const handler = adminNotices(containerContext);
