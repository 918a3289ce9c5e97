import { EVENT_TYPES } from '../../shared/events/catalog';
import { EventTable } from '../events/event-table';
import { filtersOf } from '../filters';
import { localInput } from '../format';
import type { EventList } from '../types';
import { View } from '../ui/content';
import { Field } from '../ui/fields';
import { usePages } from '../use-query';
import { EventView } from './event';
import type { ViewProps } from './view-props';

const LIVE_MS = 1_000;
const FILTERS = ['type', 'status', 'subject', 'from', 'to'] as const;
const STATES: [string, string][] = [
  ['', 'any'],
  ['pending', 'not published yet'],
  ['published', 'published'],
  ['retrying', 'being retried'],
  ['dead', 'dead letter'],
];

export function Events({ args: [id], query }: ViewProps) {
  return id === undefined ? <EventListView query={query} /> : <EventView id={id} />;
}

function EventListView({ query }: { query: URLSearchParams }) {
  const { path, field } = filtersOf(query, 'events', FILTERS);
  const pages = usePages<EventList>(path, LIVE_MS);
  return (
    <View title="Events">
      <search class="filters">
        <Field label="Type" options={[['', 'any'], ...EVENT_TYPES]} {...field('type')} />
        <Field label="State" options={STATES} {...field('status')} />
        <Field label="User (id)" {...field('subject')} />
        <TimeField label="From" {...field('from')} />
        <TimeField label="To" {...field('to')} />
      </search>
      <EventTable pages={pages} />
    </View>
  );
}

/** In the reader's zone; the API gets UTC. */
function TimeField({
  label,
  value,
  onInput,
}: {
  label: string;
  value: string;
  onInput: (value: string) => void;
}) {
  return (
    <Field
      label={label}
      type="datetime-local"
      value={localInput(value)}
      onInput={(local) => onInput(local && new Date(local).toISOString())}
    />
  );
}
