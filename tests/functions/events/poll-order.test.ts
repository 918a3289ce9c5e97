// One user's events take effect in order, whatever fails and whoever polls.
import { uuidv7 } from 'uuidv7';
import type { BatchResponse, RmqMessage } from '../../../shared/lambda/rmq-event';
import { type Answer, bodyOf, done, failing, Polling, userEvent } from '../../setup/polling';

let polling: Polling;
beforeEach(async () => {
  polling = await Polling.open();
});
afterEach(() => polling.close());

describe("one user's events stay in order", () => {
  /** Fails this event so many times, and does all others, as a consumer function would. */
  function failingTimes(id: string, times: number): Answer {
    let left = times;
    return (batch) => {
      const stuck = new Set<string>();
      const batchItemFailures: BatchResponse['batchItemFailures'] = [];
      for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
        const { id: itemIdentifier, subject } = bodyOf(message);
        const fails = itemIdentifier === id && left-- > 0;
        if (!fails && !stuck.has(subject)) continue;
        stuck.add(subject);
        batchItemFailures.push({ itemIdentifier });
      }
      return { batchItemFailures };
    };
  }
  /** What was handled, in order: given to the function, and not among its failures. */
  function handling(answer: Answer): { answer: Answer; handled: string[] } {
    const handled: string[] = [];
    return {
      handled,
      answer: (batch) => {
        const result = answer(batch);
        if (result === null || 'kind' in result) return result;
        const failed = result.batchItemFailures.map((item) => item.itemIdentifier);
        for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
          const { id } = bodyOf(message);
          if (!failed.includes(id)) handled.push(id);
        }
        return result;
      },
    };
  }

  test.each([1, 10])('after one that failed, the later ones wait (batches of %i)', async (batchSize) => {
    const ids = await polling.sendOfOneUser(4);
    const others = await polling.send(3);
    const { answer, handled } = handling(failingTimes(ids[1] ?? '', 2));
    const run = polling.poll(answer, { batchSize });
    await run.until(() => handled.length === 7);
    expect(handled.filter((id) => ids.includes(id))).toEqual(ids);
    await run.stop();
    expect([await polling.retrying(), await polling.queued(), run.deadLetterCalls]).toEqual([[], 0, []]);
    for (const id of others) expect(run.deliveries()[id]).toBe(1);
  });

  test('waiting costs no attempt, and ends when the earlier one is a dead letter', async () => {
    const ids = await polling.sendOfOneUser(3);
    const { answer, handled } = handling(failing([ids[0] ?? '']));
    const dead = await polling.deadLetters();
    const run = polling.poll(answer, { batchSize: 1 });
    await run.until(() => handled.length === 2);
    expect(handled).toEqual(ids.slice(1));
    expect(dead.messages.map((message) => message.properties.messageId)).toEqual([ids[0]]);
    expect(run.deliveries()).toEqual({ [ids[0] ?? '']: 3, [ids[1] ?? '']: 1, [ids[2] ?? '']: 1 });
    await run.stop();
    expect(await polling.retrying()).toEqual([]);
  });

  test('the next poller knows who waits for whom', async () => {
    const [first = ''] = await polling.send(1);
    const second = uuidv7();
    const run = polling.poll(failing([first]), { batchSize: 1 });
    await run.until(() => run.calls.length > 0);
    await run.stop();
    const { subject } = bodyOf(run.calls[0]?.messages[0] as RmqMessage);
    await polling.ctx.db
      .updateTable('retrying_events')
      .set({ due_at: new Date(Date.now() + 60_000) })
      .execute();
    polling.publish(second, Buffer.from(JSON.stringify(userEvent(second, subject, '0000000002'))));
    await polling.client.channel.waitForConfirms();
    const { answer, handled } = handling(done);
    const next = polling.poll(answer);
    await next.until(() => handled.length === 2);
    expect(handled).toEqual([first, second]);
  });

  test('a function that crashes over one event is not given the later ones of its user', async () => {
    const ids = await polling.sendOfOneUser(6);
    const { answer, handled } = handling(done);
    let crashes = 3;
    const run = polling.poll((batch) => {
      const isIn = JSON.stringify(batch).includes(ids[1] ?? '');
      return isIn && crashes-- > 0 ? { kind: 'failed', reason: 'Runtime exited' } : answer(batch);
    });
    await run.until(() => handled.length === 6);
    expect(handled).toEqual(ids);
  });

  test('nobody waits for ever for an event that was lost with its retry queue', async () => {
    await polling.send(1);
    const run = polling.poll(done);
    await run.until(() => run.calls.length > 0);
    await run.stop();
    const { subject } = bodyOf(run.calls[0]?.messages[0] as RmqMessage);
    const wait = { consumer: 'audit', subject, sequence: '0000000002' };
    const due_at = new Date(Date.now() - 25 * 3600_000);
    await polling.ctx.db
      .insertInto('retrying_events')
      .values({ ...wait, event_id: uuidv7(), due_at })
      .execute();
    const later = uuidv7();
    polling.publish(later, Buffer.from(JSON.stringify(userEvent(later, subject, '0000000003'))));
    const next = polling.poll(done);
    await next.until(() => next.calls.length > 0);
    expect(next.deliveries()).toEqual({ [later]: 1 });
  });
});

describe('while the broker has not confirmed what a batch sends on', () => {
  test('the next batch is handled, and neither is acknowledged', async () => {
    const [failed = '', next = ''] = await polling.send(2);
    const run = polling.poll(
      (batch) => {
        // Long enough for the next call to come before the confirm.
        if (run.calls.length === 1) polling.proxy.delay(10_000);
        if (run.calls.length === 2) void polling.proxy.stop();
        return run.calls.length === 1 ? failing([failed])(batch) : done(batch);
      },
      { batchSize: 1 },
    );
    await run.until(() => run.calls.length === 2);
    polling.proxy.delay(0);
    await polling.proxy.start();
    await run.until(() => run.calls.length >= 4);
    const again = run.calls.flatMap((call) => call.messages).slice(2, 4);
    expect(again.map(({ basicProperties, redelivered }) => [basicProperties.messageId, redelivered])).toEqual(
      [
        [failed, true],
        [next, true],
      ],
    );
    await run.stop();
    expect([await polling.retrying(), await polling.queued()]).toEqual([[], 0]);
  });

  test('a user waits for a dead letter until it is one', async () => {
    const [hopeless = '', later = ''] = await polling.sendOfOneUser(2);
    const dead = await polling.deadLetters();
    let buried: string[] = [];
    const run = polling.poll(
      (batch) => {
        if (run.calls.length === 1) polling.proxy.delay(300);
        else buried = dead.messages.map((message) => String(message.properties.messageId));
        if (run.calls.length > 1) return done(batch);
        return { batchItemFailures: [{ itemIdentifier: hopeless, reason: 'no such mailbox', final: true }] };
      },
      { batchSize: 1 },
    );
    await run.until(() => run.deliveries()[later] === 1);
    expect(buried).toEqual([hopeless]);
    await run.stop();
    expect(run.deliveries()).toEqual({ [hopeless]: 1, [later]: 1 });
    expect([await polling.retrying(), await polling.queued()]).toEqual([[], 0]);
  });
});

test('nobody waits for an event that a frozen poller took for failed after another had it handled', async () => {
  const [first, second] = [uuidv7(), uuidv7()];
  const subject = uuidv7();
  await polling.ctx.db.insertInto('inbox').values({ event_id: first, consumer: 'audit' }).execute();
  const due_at = new Date(Date.now() + 3600_000);
  await polling.ctx.db
    .insertInto('retrying_events')
    .values({ consumer: 'audit', event_id: first, subject, sequence: '0000000001', due_at })
    .execute();
  await polling.sendEvents([userEvent(second, subject, '0000000002')]);
  const run = polling.poll(done);
  await run.until(() => run.calls.length > 0);
  await run.stop();
  expect(run.deliveries()).toEqual({ [second]: 1 });
  expect([await polling.retrying(), await polling.queued()]).toEqual([[], 0]);
});
