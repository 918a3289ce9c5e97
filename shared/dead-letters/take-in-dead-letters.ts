import * as v from 'valibot';
import { ATTEMPT_HEADER, ERROR_HEADER, QUEUE_HEADER, readAttempt } from '../broker/topology';
import type { Context } from '../context/context';
import { isEvent } from '../events/catalog';
import { type BatchResponse, headerText, type RmqEvent, type RmqMessage } from '../lambda/rmq-event';
import { isStorable, storableText } from '../storable';
import { UserId } from '../users/fields';
import { type NewDeadLetter, storeDeadLetters } from './dead-letter-store';

/**
 * Stores a batch of dead letters, whatever they are: this is the end of the line, so nothing is refused here.
 * @throws where the database does; all of the batch then has to come again
 */
export async function takeInDeadLetters(ctx: Context, batch: RmqEvent): Promise<BatchResponse> {
  const letters = Object.values(batch.rmqMessagesByQueue)
    .flat()
    .map((message) => readLetter(ctx, message));
  await ctx.db.transaction().execute((tx) => storeDeadLetters(tx, letters));
  for (const { queue, messageId, attempts, error } of letters)
    ctx.log.warn('A dead letter was stored', { queue, eventId: messageId, attempts, reason: error });
  return { batchItemFailures: [] };
}

function readLetter(ctx: Context, message: RmqMessage): NewDeadLetter {
  const { basicProperties } = message;
  const headers = basicProperties.headers ?? {};
  const body = Buffer.from(message.data, 'base64');
  const json = readJson(body);
  const event = isEvent(json) ? json : null;
  return {
    id: ctx.newId(),
    queue: storableText(headerText(headers[QUEUE_HEADER]) ?? 'unknown'),
    messageId: basicProperties.messageId ? storableText(basicProperties.messageId) : null,
    event,
    subject: subjectOf(json),
    body,
    error: storableText(headerText(headers[ERROR_HEADER]) ?? 'unknown'),
    attempts: readAttempt(headers[ATTEMPT_HEADER]) ?? 0,
  };
}

/** @returns null for what is no JSON, or none that can be stored */
function readJson(body: Buffer): unknown {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isStorable(json) ? json : null;
  } catch {
    return null;
  }
}

function subjectOf(json: unknown): string | null {
  const result = v.safeParse(v.object({ subject: UserId }), json);
  return result.success ? result.output.subject : null;
}
