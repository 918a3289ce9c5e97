import { EventState } from '../events/state';
import { Timeline } from '../events/timeline';
import { duration } from '../format';
import { href } from '../route';
import type { EventDetail, HistoryEntry } from '../types';
import { Facts, Json, Loaded, Section, View } from '../ui/content';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { useQuery } from '../use-query';

const LIVE_MS = 1_000;

export function EventView({ id }: { id: string }) {
  const query = useQuery<EventDetail>(`events/${id}`, LIVE_MS);
  return (
    <View title={query.data?.type ?? 'Event'}>
      <Loaded query={query}>
        {(event) => (
          <>
            <Timeline event={event} />
            <Section title="History">
              <Table
                caption="What has happened to the event"
                rows={event.history}
                keyOf={keyOf}
                columns={[
                  { title: 'When', cell: ({ at }) => <Time at={at} /> },
                  { title: 'After the commit', cell: ({ at }) => sinceCommit(event, at) },
                  { title: 'What', cell: ({ kind }) => kind.replaceAll('_', ' ') },
                  { title: 'Consumer', cell: ({ consumer }) => consumer ?? '' },
                  { title: 'Attempt', cell: ({ attempt }) => attempt ?? '' },
                  { title: 'Details', cell: (entry) => <Details entry={entry} /> },
                ]}
              />
            </Section>
            <Section title="About it">
              <Facts facts={factsOf(event)} />
            </Section>
            <Section title="As it goes out">
              <Json value={event.event} label="The event as JSON" />
            </Section>
          </>
        )}
      </Loaded>
    </View>
  );
}

const keyOf = ({ at, kind, consumer, attempt }: HistoryEntry) => `${at} ${kind} ${consumer} ${attempt}`;

const sinceCommit = ({ createdAt }: EventDetail, at: string) =>
  duration(new Date(at).getTime() - new Date(createdAt).getTime());

function Details({ entry: { error, dueAt, detail } }: { entry: HistoryEntry }) {
  return (
    <>
      {error && <span class="error-text">{error} </span>}
      {dueAt && (
        <>
          next try <Time at={dueAt} isRelative />{' '}
        </>
      )}
      {detail &&
        Object.entries(detail).map(([name, value]) => <span key={name}>{`${name}: ${value} `}</span>)}
    </>
  );
}

function factsOf(event: EventDetail): [string, preact.ComponentChildren][] {
  return [
    ['Published', <EventState key="state" event={event} />],
    ['Subject', userLink(event.subject)],
    ['Sequence', event.sequence],
    ['Committed', <Time key="at" at={event.createdAt} />],
    ...(event.origin ? originFacts(event.origin) : []),
    ['Trace', event.traceId ?? 'none'],
    ['Id', event.id],
  ];
}

function originFacts({
  actorId,
  address,
  userAgent,
  requestId,
}: NonNullable<EventDetail['origin']>): [string, preact.ComponentChildren][] {
  return [
    ['Caused by', actorId ? userLink(actorId) : 'nobody who was logged in'],
    ['From', [address, userAgent].filter(Boolean).join(', ') || 'unknown'],
    ['Request', requestId ?? 'none'],
  ];
}

const userLink = (id: string) => <a href={href(['users', id])}>{id}</a>;
