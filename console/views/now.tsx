import { duration, plural } from '../format';
import { useCan } from '../me';
import { href } from '../route';
import type { EventsPerMinute, Health, QueueList, RegistrationReport, WebhookList } from '../types';
import { BarChart } from '../ui/chart';
import { Loaded, Section, View } from '../ui/content';
import { State, type Tone } from '../ui/state';
import { type Column, Table } from '../ui/table';
import { useQuery } from '../use-query';

const LIVE_MS = 2_000;
const SLOW_MS = 30_000;
const MINUTES = 60;
const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS = 30;

export function Now() {
  const can = useCan();
  return (
    <View title="Now">
      <div class="vitals-place">
        <Vitals />
      </div>
      <div class="charts">
        {can('events:read') && <Rates />}
        {can('analytics:read') && <Registrations />}
      </div>
      {can('events:read') && <Queues />}
      {can('webhooks:read') && <FailingWebhooks />}
    </View>
  );
}

const TONES: Record<Health['status'], Tone> = { ok: 'good', degraded: 'busy', down: 'bad' };

function Vitals() {
  const query = useQuery<Health>('health', LIVE_MS);
  return (
    <Loaded query={query}>
      {({ status, database, broker, outbox, relay, poller }) => (
        <>
          <dl class="vitals">
            <Vital name="Service">
              <State tone={TONES[status]}>{status}</State>
            </Vital>
            <Vital name="Database">
              <State tone={database === 'up' ? 'good' : 'bad'}>{database}</State>
            </Vital>
            <Vital name="Broker">
              <State tone={broker === 'up' ? 'good' : 'bad'}>{broker}</State>
            </Vital>
            <Vital name="Waiting to be published">
              {outbox ? (outbox.pending === 0 ? 'nothing' : plural(outbox.pending, 'event')) : 'unknown'}
            </Vital>
            <Vital name="Oldest of them">
              {outbox && outbox.pending > 0 ? age(outbox.oldestSeconds) : '–'}
            </Vital>
          </dl>
          {[relay?.problem, poller?.problem].filter(Boolean).map((problem) => (
            <p key={problem} class="failure">
              {problem}
            </p>
          ))}
        </>
      )}
    </Loaded>
  );
}

const age = (seconds: number) => (seconds < 1 ? 'under a second' : duration(seconds * 1000));

function Vital({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Rates() {
  const query = useQuery<EventsPerMinute>(`analytics/events?minutes=${MINUTES}`, LIVE_MS);
  const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
  return (
    <Loaded query={query}>
      {({ minutes }) => (
        <BarChart
          title="Events per minute"
          unit="events in an hour"
          bars={minutes.map(({ minute, count }) => ({ label: time.format(new Date(minute)), value: count }))}
        />
      )}
    </Loaded>
  );
}

function Registrations() {
  const tomorrow = new Date(Math.ceil((Date.now() + 1) / DAY_MS) * DAY_MS);
  const from = new Date(tomorrow.getTime() - DAYS * DAY_MS);
  const query = useQuery<RegistrationReport>(
    `analytics/registrations?${new URLSearchParams({ from: from.toISOString(), to: tomorrow.toISOString(), interval: 'day' })}`,
    SLOW_MS,
  );
  // The days are those of UTC.
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
  return (
    <Loaded query={query}>
      {({ buckets }) => (
        <BarChart
          title="Registrations per day"
          unit={`registrations in ${DAYS} days`}
          bars={buckets.map(({ start, registrations }) => ({
            label: day.format(new Date(start)),
            value: registrations,
          }))}
        />
      )}
    </Loaded>
  );
}

function Queues() {
  const query = useQuery<QueueList>('queues', LIVE_MS);
  return (
    <Section title="Queues">
      <Loaded query={query}>
        {({ queues, deadLetters }) => (
          <>
            {queues ? (
              <Table caption="Queues" rows={queues} keyOf={({ name }) => name} columns={QUEUE_COLUMNS} />
            ) : (
              <p class="failure">The broker cannot be reached. Registrations go on, and their events wait.</p>
            )}
            <p>
              <a href={href(['dead-letters'])}>
                <State tone={deadLetters === 0 ? 'good' : 'bad'}>{plural(deadLetters, 'dead letter')}</State>
              </a>
            </p>
          </>
        )}
      </Loaded>
    </Section>
  );
}

type Queue = NonNullable<QueueList['queues']>[number];

const QUEUE_COLUMNS: Column<Queue>[] = [
  { title: 'Queue', cell: ({ name }) => name },
  { title: 'Waiting', cell: ({ ready }) => ready },
  { title: 'Being retried', cell: ({ retry }) => retry },
  {
    title: 'Connected',
    cell: ({ consumers }) => (consumers > 0 ? 'yes' : <State tone="bad">no</State>),
  },
];

function FailingWebhooks() {
  const query = useQuery<WebhookList>('webhooks?limit=100', SLOW_MS);
  const failing =
    query.data?.webhooks.filter(({ failingSince, enabled }) => enabled && failingSince !== null) ?? [];
  if (failing.length === 0) return null;
  return (
    <Section title="Failing webhooks">
      <ul>
        {failing.map(({ id, url }) => (
          <li key={id}>
            <a href={href(['webhooks', id])}>{url}</a>
          </li>
        ))}
      </ul>
    </Section>
  );
}
