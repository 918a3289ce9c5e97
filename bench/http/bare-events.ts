// What the machine allows: one event after the other with a confirmed publish, a transaction of two inserts in each of as many
// queues as Rollcall has consumers, and one mail. Nothing else: no outbox, no batches, no retries. Tells its parent the processor
// time.
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Channel, connect } from 'amqplib';
import { createTransport } from 'nodemailer';
import { Pool } from 'pg';
import { CONSUMER_NAMES } from '../../shared/broker/topology';
import { readConfig } from '../../shared/config';

export interface BareEvents {
  /** Processor time of this process in ms, with a pause of a second after each event, and without. */
  cpuPerEvent: number;
  cpuPerEventInTurn: number;
}

const WARM_UP = 30;
const IN_TURN = 200;
const PAUSE_MS = 1_000;
const INBOX =
  'insert into bare_inbox select id, $2 from unnest($1::uuid[]) as id on conflict do nothing returning event_id';

async function main(): Promise<void> {
  const { database, broker, events, mail } = readConfig();
  const pool = new Pool({ connectionString: database.url, max: CONSUMER_NAMES.length });
  await pool.query(
    'create table bare_inbox (event_id uuid, consumer text, primary key (event_id, consumer))',
  );
  await pool.query('create table bare_effects (event_id uuid, consumer text, data jsonb)');
  const model = await connect(broker.url);
  const publishing = await model.createConfirmChannel();
  const exchange = `${events.exchange}.bare`;
  await publishing.assertExchange(exchange, 'topic', { autoDelete: true });
  let handled = () => {};
  for (const consumer of CONSUMER_NAMES)
    await consume(await model.createChannel(), exchange, async (content) => {
      const event = JSON.parse(content.toString());
      const client = await pool.connect();
      await client.query('begin');
      await client.query({ name: 'inbox', text: INBOX, values: [[event.id], consumer] });
      if (consumer === 'emails') await sendMail(mail.smtpUrl);
      await client.query({
        name: 'effect',
        text: 'insert into bare_effects values ($1, $2, $3)',
        values: [event.id, consumer, event],
      });
      await client.query('commit');
      client.release();
      handled();
    });

  async function handleOne(): Promise<void> {
    const all = new Promise<void>((resolve) => {
      let left = CONSUMER_NAMES.length;
      handled = () => --left === 0 && resolve();
    });
    const id = randomUUID();
    const data = { id, username: 'user_1', email: 'user_1@example.com', role: 'user' };
    const event = { id, type: 'user.created', subject: id, time: new Date().toISOString(), data };
    const content = Buffer.from(JSON.stringify(event));
    publishing.publish(exchange, event.type, content, { persistent: true, mandatory: true });
    await publishing.waitForConfirms();
    await all;
  }

  async function cpuOf(count: number, pauseMs: number): Promise<number> {
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) {
      await handleOne();
      if (pauseMs > 0) await wait(pauseMs);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / count;
  }

  await cpuOf(WARM_UP, 0);
  const result: BareEvents = {
    cpuPerEvent: await cpuOf(Number(process.env['BENCH_EVENTS']), PAUSE_MS),
    cpuPerEventInTurn: await cpuOf(IN_TURN, 0),
  };
  process.send?.(result);
  await model.close();
  await pool.end();
  process.disconnect();
}

async function consume(
  channel: Channel,
  exchange: string,
  handle: (content: Buffer) => Promise<void>,
): Promise<void> {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, exchange, '#');
  await channel.consume(queue, async (message) => {
    if (!message) return;
    await handle(message.content);
    channel.ack(message);
  });
}

async function sendMail(url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const transport = createTransport(url);
  const email = { from: 'bench@example.com', to: 'user_1@example.com', subject: 'Welcome' };
  await transport.sendMail({ ...email, text: 'Welcome', html: '<p>Welcome</p>' });
  transport.close();
}

void main();
