import type { Consumer } from '../broker/topology';
import type { Mailbox } from '../config/mailboxes';
import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import { recordHistory } from '../event-history/history-store';
import { sendMail } from './send-mail';
import type { MailContent } from './templates';

/** Share of the time that its handler has left. The rest is for recording and committing it. */
const TIME_SHARE = 0.9;

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
 * Sends the email that an event causes, and records in the event's history that it was sent. An email that the server has not
 * accepted when its handler's time ends is not sent any more, because the event will be handled again.
 * @throws as `sendMail` does
 */
export async function sendEventMail(
  tx: Tx,
  ctx: HandlerContext,
  { eventId, template, consumer = 'emails', messageId = eventId }: EventMail,
  to: Mailbox | Mailbox[],
  content: MailContent,
): Promise<void> {
  const timeoutMs = Math.max(1, Math.floor(TIME_SHARE * (ctx.endsAt - performance.now())));
  const isSent = await sendMail(ctx, messageId, to, content, timeoutMs);
  if (isSent) await recordHistory(tx, eventId, { kind: 'mail_sent', consumer, detail: { template } });
}
