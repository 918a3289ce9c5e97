import type { ComponentChildren } from 'preact';
import { href } from '../route';
import type { EventList, LoggedEvent } from '../types';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import type { Pages } from '../use-query';
import { Consumers, EventState } from './state';

export function EventTable({ pages }: { pages: Pages<EventList> }) {
  return (
    <PagedTable
      caption="Events, newest first"
      pages={pages}
      rowsOf={({ events }) => events}
      keyOf={({ id }) => id}
      empty="No event matches. Register a user, and its event appears here at once."
      columns={COLUMNS}
    />
  );
}

const COLUMNS: { title: string; cell: (event: LoggedEvent) => ComponentChildren }[] = [
  { title: 'Event', cell: ({ id, type }) => <a href={href(['events', id])}>{type}</a> },
  { title: 'When', cell: ({ createdAt }) => <Time at={createdAt} isRelative /> },
  { title: 'About', cell: ({ subject, type }) => <Subject subject={subject} type={type} /> },
  { title: 'Published', cell: (event) => <EventState event={event} /> },
  { title: 'Consumers', cell: (event) => <Consumers event={event} /> },
];

function Subject({ subject, type }: Pick<LoggedEvent, 'subject' | 'type'>) {
  const path = type.startsWith('webhook.') ? 'webhooks' : 'users';
  return <a href={href([path, subject])}>{subject}</a>;
}
