import type { Consumer } from '../broker/topology';
import type { Mailbox } from '../config/mailboxes';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { recordHistory } from '../event-history/history-store';
import { sendMail } from './send-mail';
import type { MailContent } from './templates';

export interface EventMail {
  eventId: string;
  /** What the event's history calls it. */
  template: string;
  /** Default: `emails`. */
  consumer?: Consumer;
  /** Default: the event's id. For a second email of the same event. */
  messageId?: string;
}

/**
 * Sends the email that an event causes, and records in the event's history that it was sent.
 * @throws as `sendMail` does
 */
export async function sendEventMail(
  tx: Tx,
  ctx: Context,
  { eventId, template, consumer = 'emails', messageId = eventId }: EventMail,
  to: Mailbox | Mailbox[],
  content: MailContent,
): Promise<void> {
  const isSent = await sendMail(ctx, messageId, to, content);
  if (isSent) await recordHistory(tx, eventId, { kind: 'mail_sent', consumer, detail: { template } });
}
