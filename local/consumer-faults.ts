import { setTimeout as wait } from 'node:timers/promises';
import { createBroker } from '../shared/broker/connection';
import { parseEvent } from '../shared/events/catalog';
import type { Invoke } from '../shared/lambda/invoke';
import type { BatchResponse, RmqEvent, RmqMessage } from '../shared/lambda/rmq-event';
import { type EventRow, toEvent } from '../shared/outbox/event-store';
import type { PublishingContext } from '../shared/outbox/publisher';
import { createEventSender } from '../shared/outbox/send-event';

const HANG_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const POISON = 'poisoned by the console: the mail server refuses the recipient';

/** Faults on the way to the consumers that the console injects. */
export const CONSUMER_FAULTS = ['send-twice', 'poison', 'hang'] as const;
export type ConsumerFault = (typeof CONSUMER_FAULTS)[number];

export interface ConsumerFaults {
  /** Calls the consumers, with the faults. */
  invoke: Invoke;
  inject(fault: ConsumerFault): Promise<void>;
}

/** @param invoke calls the consumers without faults */
export function consumerFaults(ctx: PublishingContext, invoke: Invoke): ConsumerFaults {
  const { functionPrefix } = ctx.config.lambda;
  let poisons = 0;
  let hangs = 0;
  const faults: Record<ConsumerFault, () => unknown> = {
    poison: () => {
      poisons += 1;
    },
    hang: () => {
      hangs += 1;
    },
    'send-twice': () => sendNewestAgain(ctx),
  };
  return {
    inject: async (fault) => void (await faults[fault]()),
    invoke: async (name, payload, abandoned) => {
      if (hangs > 0 && name === `${functionPrefix}audit`) {
        hangs -= 1;
        await wait(HANG_MS);
      }
      if (poisons === 0 || name !== `${functionPrefix}emails`) return invoke(name, payload, abandoned);
      // The poller passes no other payload.
      const { victim, others } = takeRegistration(payload as RmqEvent);
      if (!victim) return invoke(name, payload, abandoned);
      poisons -= 1;
      const outcome = await invoke(name, others, abandoned);
      if (outcome.kind !== 'answered') return outcome;
      const { batchItemFailures } = outcome.payload as BatchResponse;
      const failure = {
        itemIdentifier: String(victim.basicProperties.messageId),
        reason: POISON,
        final: true,
      };
      return { kind: 'answered', payload: { batchItemFailures: [...batchItemFailures, failure] } };
    },
  };
}

/** Takes one `user.created` out of a batch. */
function takeRegistration(batch: RmqEvent): { victim: RmqMessage | undefined; others: RmqEvent } {
  const isVictim = (message: RmqMessage) =>
    parseEvent(Buffer.from(message.data, 'base64'))?.type === 'user.created';
  const victim = Object.values(batch.rmqMessagesByQueue).flat().find(isVictim);
  const rest = Object.entries(batch.rmqMessagesByQueue).map(([queue, messages]): [string, RmqMessage[]] => [
    queue,
    messages.filter((message) => message !== victim),
  ]);
  return { victim, others: { ...batch, rmqMessagesByQueue: Object.fromEntries(rest) } };
}

/** As a publisher does that lost the confirm. */
async function sendNewestAgain({ config, db, log }: PublishingContext): Promise<void> {
  const row = await db
    .selectFrom('events')
    .select(['id', 'type', 'subject', 'sequence', 'time', 'data', 'traceparent'])
    .orderBy('position', 'desc')
    .executeTakeFirst();
  if (!row) return;
  const broker = createBroker(config.broker.url, 'rollcall-faults', log);
  try {
    await createEventSender(config.events)(await broker.open(CONNECT_TIMEOUT_MS), toEvent(row as EventRow));
  } finally {
    await broker.close();
  }
}
