import { useState } from 'preact/hooks';
import { EVENT_TYPES } from '../../shared/events/catalog';
import { count, plural } from '../format';
import { useCan } from '../me';
import { request } from '../session';
import type { QueueList, Replay, ReplayCount, ReplayList } from '../types';
import { Section, View } from '../ui/content';
import { Action } from '../ui/dialog';
import { Field, Form } from '../ui/fields';
import { useNotify } from '../ui/notify';
import { State } from '../ui/state';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages, useQuery } from '../use-query';

const LIVE_MS = 1_000;

export function Replays() {
  const can = useCan();
  const pages = usePages<ReplayList>('events/replays?limit=20', LIVE_MS);
  return (
    <View title="Replays">
      {can('events:write') && <NewReplay onStarted={pages.reload} />}
      <Section title="Earlier replays">
        <PagedTable
          caption="Replays, newest first"
          pages={pages}
          rowsOf={({ replays }) => replays}
          keyOf={({ id }) => id}
          empty="Nothing was replayed yet. A replay sends past events to one consumer again, for example after a bug in it."
          columns={[
            { title: 'Queue', cell: ({ queue }) => queue },
            { title: 'Requested', cell: ({ requestedAt }) => <Time at={requestedAt} isRelative /> },
            { title: 'Which', cell: selection },
            { title: 'Progress', cell: (replay) => <Progress replay={replay} /> },
          ]}
        />
      </Section>
    </View>
  );
}

function selection({ types, subject, from, to }: Replay) {
  return (
    <>
      {types?.join(', ') ?? 'all types'}
      {subject && ` of ${subject}`}
      {from && (
        <>
          {' '}
          from <Time at={from} />
        </>
      )}
      {to && (
        <>
          {' '}
          to <Time at={to} />
        </>
      )}
    </>
  );
}

function Progress({ replay: { status, sent, total, totalIsExact } }: { replay: Replay }) {
  if (status === 'finished') return <State tone="good">{plural(sent, 'event')} sent</State>;
  return (
    <>
      <progress max={Math.max(total, 1)} value={sent} aria-label="Events sent" /> {count(sent)} of{' '}
      {totalIsExact ? '' : 'at least '}
      {count(total)}
    </>
  );
}

function NewReplay({ onStarted }: { onStarted: () => void }) {
  const { data } = useQuery<QueueList>('queues', LIVE_MS);
  const queues = data?.queues?.filter(({ consumer }) => consumer !== 'dead-letters') ?? [];
  const [filter, setFilter] = useState({ queue: '', type: '', subject: '', from: '', to: '' });
  const [estimate, setEstimate] = useState<ReplayCount>();
  const notify = useNotify();
  const field = (name: keyof typeof filter) => ({
    value: filter[name],
    onInput: (value: string) => {
      setFilter({ ...filter, [name]: value });
      setEstimate(undefined);
    },
  });
  const body = () => ({
    queue: filter.queue,
    ...(filter.type && { types: [filter.type] }),
    ...(filter.subject && { subject: filter.subject.trim() }),
    ...(filter.from && { from: new Date(filter.from).toISOString() }),
    ...(filter.to && { to: new Date(filter.to).toISOString() }),
  });
  const look = async () =>
    setEstimate(await request<ReplayCount>('POST', 'events/replay', { body: { ...body(), dryRun: true } }));
  const start = async () => {
    await request('POST', 'events/replay', { body: body() });
    notify(`The replay to ${filter.queue} has started.`);
    setEstimate(undefined);
    onStarted();
  };
  return (
    <Section title="New replay">
      <Form submit="Count the events" onSubmit={look}>
        <div class="filters">
          <Field
            label="Queue"
            options={[['', 'choose'], ...queues.map(({ name }) => name)]}
            {...field('queue')}
          />
          <Field label="Type" options={[['', 'all'], ...EVENT_TYPES]} {...field('type')} />
          <Field label="User (id)" {...field('subject')} />
          <Field label="From" type="datetime-local" {...field('from')} />
          <Field label="To (exclusive)" type="datetime-local" {...field('to')} />
        </div>
      </Form>
      {estimate && (
        <p class="estimate" role="status">
          {estimate.isMore ? 'More than ' : ''}
          {plural(estimate.count, 'event')} will be sent to {filter.queue}.{' '}
          {estimate.count > 0 && (
            <Action label="Start" title={`Replay to ${filter.queue}`} onSubmit={start}>
              <p>Events that the consumer has handled take no effect a second time.</p>
            </Action>
          )}
        </p>
      )}
    </Section>
  );
}
