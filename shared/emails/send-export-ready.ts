import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findExport } from '../exports/export-store';
import { findUser } from '../users/user-store';
import { sendEventMail } from './send-event-mail';
import { recipientOf, salutation } from './send-link-mail';
import { exportReadyMail } from './templates';

/**
 * Tells a user that their export can be downloaded, at their verified address: another may be a stranger's. The link has no
 * token, so whoever reads the mail still has to sign in.
 */
export async function sendExportReady(
  event: UserEvent<'user.export_ready'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { caseId } = event.data;
  const user = await findUser(tx, event.subject);
  if (!user?.email || !user.emailVerified) return;
  // Not for one that has expired, as it may have in a replay.
  const found = await findExport(tx, caseId, ctx.now());
  if (!found?.expiresAt) return;
  const { appName, publicUrl } = ctx.config.mail;
  const mail = { eventId: event.id, template: 'export_ready' };
  const recipient = recipientOf({ ...user, email: user.email });
  const link = `${publicUrl}/export?id=${caseId}`;
  const values = { appName, name: salutation(user), link, isPartial: found.state === 'partial' };
  await sendEventMail(tx, ctx, mail, recipient, exportReadyMail({ ...values, until: found.expiresAt }));
}
