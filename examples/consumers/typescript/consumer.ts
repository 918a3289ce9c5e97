// Keeps a copy of Rollcall's users. docs/consumers.md explains each step.
//
// Every failure that is not the message's own fault ends the connection. The loop in `main` connects again after a pause,
// and the broker delivers again what was not acknowledged. So this process may also be killed at any moment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { openStore, type Store, type UserEvent } from './store';

const {
  AMQP_URL = 'amqp://guest:guest@127.0.0.1:5673',
  EXCHANGE = 'user_events',
  QUEUE = 'newsletter.users',
  RECEIPTS_QUEUE = 'rollcall.receipts',
  HOLDER = 'newsletter',
  DATABASE = 'newsletter.db',
  SCHEMAS = 'docs/events/schemas',
} = process.env;

const DEAD_LETTERS = `${QUEUE}.dead_letters`;
const TYPES = [
  'user.created',
  'user.updated',
  'user.deleted',
  'user.erasure_requested',
  'user.export_requested',
];
const PREFETCH = 20;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** No attempt can help: the message is a dead letter. Its text must not quote the message. */
class PoisonError extends Error {}

type Validators = Map<unknown, ValidateFunction<UserEvent>>;

function loadValidators(): Validators {
  const ajv = addFormats(new Ajv2020({ allowUnionTypes: true }));
  const compile = (type: string) =>
    ajv.compile<UserEvent>(JSON.parse(readFileSync(join(SCHEMAS, `${type}.v1.json`), 'utf8')));
  return new Map(TYPES.map((type) => [type, compile(type)]));
}

/** @throws PoisonError */
function parse(content: Buffer, validators: Validators): UserEvent {
  let event: unknown;
  try {
    event = JSON.parse(content.toString());
  } catch {
    throw new PoisonError('Not JSON');
  }
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
  const validate = validators.get(type);
  if (!validate) throw new PoisonError('Unknown type');
  if (validate(event)) return event;
  const [error] = validate.errors ?? [];
  throw new PoisonError(`Against the schema of ${type}: ${error?.instancePath} ${error?.message}`);
}

/** Declares both queues. The exchange is Rollcall's: until it exists, the binding fails, and `main` tries again. */
async function declare(channel: ConfirmChannel): Promise<void> {
  // In effect no limit, because `removeDeadLetters` returns them again and again.
  const unlimited = { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 };
  await channel.assertQueue(DEAD_LETTERS, { arguments: unlimited });
  await channel.assertQueue(QUEUE, {
    deadLetterExchange: '',
    deadLetterRoutingKey: DEAD_LETTERS,
    arguments: {
      'x-queue-type': 'quorum',
      // A message that came back so often, because it ends the process perhaps, becomes a dead letter by itself.
      'x-delivery-limit': 100,
      // Of several instances one consumes and the others wait, so that events stay in order.
      'x-single-active-consumer': true,
    },
  });
  for (const type of TYPES) await channel.bindQueue(QUEUE, EXCHANGE, type);
}

/** Resolves once the broker has stored the message. Rejects if there is no such queue. */
async function send(channel: ConfirmChannel, queue: string, content: Buffer, headers = {}): Promise<void> {
  let wasReturned = false;
  const onReturn = () => {
    wasReturned = true;
  };
  channel.once('return', onReturn);
  const options = { persistent: true, mandatory: true, contentType: 'application/json', headers };
  await new Promise<void>((resolve, reject) => {
    channel.sendToQueue(queue, content, options, (error) => (error ? reject(error) : resolve()));
  });
  channel.off('return', onReturn);
  if (wasReturned) throw new Error(`There is no queue ${queue}`);
}

/** Removes the dead letters that mention the user. Closing the channel returns the others to their places. */
async function removeDeadLetters(connection: ChannelModel, subject: string): Promise<void> {
  const channel = await connection.createChannel();
  for (;;) {
    const message = await channel.get(DEAD_LETTERS);
    if (message === false) break;
    if (message.content.includes(subject)) channel.ack(message);
  }
  await channel.close();
}

async function handle(
  connection: ChannelModel,
  channel: ConfirmChannel,
  store: Store,
  event: UserEvent,
): Promise<void> {
  const wasKnown = store.hasKnown(event.subject);
  const outcome = store.apply(event);
  // Repeated requests are answered again, because the process may have ended before the first answer.
  if (event.type === 'user.erasure_requested') {
    await removeDeadLetters(connection, event.subject);
    store.scrub();
    await answer(channel, event.data.caseId, { outcome: wasKnown ? 'erased' : 'nothing_held' });
  } else if (event.type === 'user.export_requested') {
    const data = store.dataOf(event.subject);
    await answer(
      channel,
      event.data.caseId,
      data ? { outcome: 'exported', data } : { outcome: 'nothing_held' },
    );
  }
  console.log(`${outcome} ${event.type} ${event.id}`);
}

function answer(channel: ConfirmChannel, caseId: string, result: object): Promise<void> {
  return send(channel, RECEIPTS_QUEUE, Buffer.from(JSON.stringify({ caseId, holder: HOLDER, ...result })));
}

/** Consumes until the connection ends, and rejects then. `onProgress` is called after each acknowledgement. */
async function consume(store: Store, validators: Validators, onProgress: () => void): Promise<never> {
  const url = new URL(AMQP_URL);
  url.searchParams.set('heartbeat', '30');
  const connection = await connect(url.toString(), { timeout: 10_000 });
  let fail: (error: Error) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Awaited only below: until then, a rejection must not end the process.
  ended.catch(() => {});
  connection.on('error', fail).on('close', () => fail(new Error('The connection was closed')));
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', fail);
    await channel.prefetch(PREFETCH);
    await declare(channel);

    const receive = async (message: ConsumeMessage | null) => {
      if (!message) throw new Error('The broker cancelled the consumer');
      try {
        await handle(connection, channel, store, parse(message.content, validators));
      } catch (error) {
        if (!(error instanceof PoisonError)) throw error;
        await send(channel, DEAD_LETTERS, message.content, { reason: error.message });
        console.warn(`dead letter: ${error.message}`);
      }
      channel.ack(message);
      onProgress();
    };
    // One after another. After a failure, the others are left to the next connection.
    let previous = Promise.resolve();
    await channel.consume(QUEUE, (message) => {
      previous = previous.then(() => receive(message));
      previous.catch(fail);
    });
    console.log(`consuming ${QUEUE}`);
    return await ended;
  } finally {
    await connection.close().catch(() => {});
  }
}

async function main(): Promise<never> {
  const store = openStore(DATABASE);
  const validators = loadValidators();
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      await consume(store, validators, () => {
        pause = FIRST_PAUSE_MS;
      });
    } catch (error) {
      // Also the database's: the message waits in the queue meanwhile.
      console.error(`connecting again in up to ${pause / 1000} s: ${error}`);
    }
    await wait(pause * (0.5 + Math.random() / 2));
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

void main();
