// Queue rollcall.admin-notices: tells the addresses in ADMIN_NOTIFY_EMAIL about every new user.
import { type Context, containerContext } from '../../shared/context';
import { sendNewUserNotice } from '../../shared/emails/send-new-user-notice';
import { consumer } from '../../shared/events/consumer';

export const adminNotices = (context: () => Context) =>
  consumer('admin-notices', { 'user.created': sendNewUserNotice }, context, 'each');

export const handler = adminNotices(containerContext);
