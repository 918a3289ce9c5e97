import { lanesOf } from '../../console/events/lanes';
import type { EventDetail, HistoryEntry } from '../../console/types';

const START = Date.parse('2026-11-20T10:00:00.000Z');
const at = (ms: number) => new Date(START + ms).toISOString();

function event(
  consumers: EventDetail['consumers'],
  history: HistoryEntry[],
  fields: Partial<EventDetail> = {},
) {
  const detail = { status: 'published', createdAt: at(0), consumers, history, ...fields };
  // What the picture does not show is left out.
  return detail as EventDetail;
}

const committed: HistoryEntry = { at: at(0), kind: 'committed' };
const published: HistoryEntry = { at: at(12), kind: 'published', attempt: 1 };
const shown = ({ steps }: ReturnType<typeof lanesOf>['trunk']) =>
  steps.map(({ tone, title, time }) => `${tone}: ${title}, ${time}`);

test('a smooth way: committed, published, handled by each consumer, with its effects', () => {
  const { trunk, branches } = lanesOf(
    event({ audit: 'handled', emails: 'handled' }, [
      committed,
      published,
      { at: at(20), kind: 'handled', consumer: 'audit' },
      { at: at(25), kind: 'handled', consumer: 'emails' },
      { at: at(1_500), kind: 'mail_sent', consumer: 'emails', detail: { template: 'verify_email' } },
    ]),
    START + 60_000,
  );
  expect(shown(trunk)).toEqual(['good: committed, start', 'good: published, +12 ms']);
  expect(branches.map(({ name }) => name)).toEqual(['audit', 'emails']);
  expect(branches.map(shown)).toEqual([
    ['good: handled, +20 ms'],
    ['good: handled, +25 ms', 'good: mail: verify email, +1.5 s'],
  ]);
});

test('what is still to come: the broker is away, a consumer has not answered, a retry is due', () => {
  const waiting = lanesOf(
    event(
      { audit: 'waiting' },
      [committed, { at: at(600), kind: 'publish_failed', attempt: 1, error: 'away' }],
      {
        status: 'pending',
      },
    ),
    START + 2_000,
  );
  expect(shown(waiting.trunk)).toEqual([
    'good: committed, start',
    'bad: not published, +600 ms',
    'busy: to be published, for 2.0 s',
  ]);
  expect(waiting.branches.map(shown)).toEqual([['busy: to be handled, for 2.0 s']]);

  const failed: HistoryEntry = {
    at: at(30),
    kind: 'failed',
    consumer: 'audit',
    attempt: 1,
    error: 'no',
    dueAt: at(5_030),
  };
  const retrying = lanesOf(event({ audit: 'retrying' }, [committed, published, failed]), START + 1_030);
  expect(retrying.branches.map(shown)).toEqual([
    ['bad: attempt 1 failed, +30 ms', 'busy: tries again, in 4.0 s'],
  ]);
});

test('a dead letter that was sent again, and webhooks with and without an answer', () => {
  const { branches } = lanesOf(
    event({ emails: 'handled', webhooks: 'handled' }, [
      committed,
      published,
      { at: at(30), kind: 'dead', consumer: 'emails', attempt: 6, error: 'no' },
      { at: at(60_000), kind: 'redelivered', consumer: 'emails', detail: { reason: 'redrive' } },
      { at: at(60_100), kind: 'handled', consumer: 'emails' },
      { at: at(40), kind: 'handled', consumer: 'webhooks' },
      {
        at: at(50),
        kind: 'webhook_attempt',
        consumer: 'webhooks',
        detail: { host: 'crm.example.com' },
        error: 'refused',
      },
      {
        at: at(90),
        kind: 'webhook_attempt',
        consumer: 'webhooks',
        detail: { host: 'crm.example.com', status: 204 },
      },
    ]),
    START + 120_000,
  );
  expect(branches.map(shown)).toEqual([
    ['bad: dead letter, +30 ms', 'quiet: sent again (redrive), +1 min', 'good: handled, +1 min'],
    [
      'good: handled, +40 ms',
      'bad: crm.example.com: no answer, +50 ms',
      'good: crm.example.com: 204, +90 ms',
    ],
  ]);
});
