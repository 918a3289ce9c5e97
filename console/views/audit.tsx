import { filtersOf } from '../filters';
import { href } from '../route';
import type { AuditEntryList } from '../types';
import { View } from '../ui/content';
import { Field } from '../ui/fields';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages } from '../use-query';
import type { ViewProps } from './view-props';

const LIVE_MS = 5_000;
const FILTERS = ['subject', 'actor', 'type'] as const;

export function Audit({ query }: ViewProps) {
  const { path, field } = filtersOf(query, 'audit', FILTERS);
  const pages = usePages<AuditEntryList>(path, LIVE_MS);
  const user = (id: string | null) => (id ? <a href={href(['users', id])}>{id}</a> : 'nobody');
  return (
    <View title="Audit">
      <search class="filters">
        <Field label="About (id)" {...field('subject')} />
        <Field label="By (id)" {...field('actor')} />
        <Field label="Type" {...field('type')} />
      </search>
      <PagedTable
        caption="Audit log, newest first"
        pages={pages}
        rowsOf={({ entries }) => entries}
        keyOf={({ eventId }) => eventId}
        empty="No entry matches."
        columns={[
          { title: 'When', cell: ({ time }) => <Time at={time} /> },
          { title: 'What', cell: ({ type }) => type },
          { title: 'About', cell: ({ subject }) => user(subject) },
          { title: 'By', cell: ({ actor }) => user(actor) },
          {
            title: 'From',
            cell: ({ address, userAgent }) => [address, userAgent].filter(Boolean).join(', '),
          },
          {
            title: 'Details',
            cell: ({ details }) => (details ? <code>{JSON.stringify(details)}</code> : ''),
          },
        ]}
      />
    </View>
  );
}
