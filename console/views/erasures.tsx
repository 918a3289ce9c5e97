import { CaseState } from '../erasures/case-state';
import { DataHolders } from '../erasures/data-holders';
import { LookUp } from '../erasures/look-up';
import { filtersOf } from '../filters';
import { href } from '../route';
import type { ErasureList } from '../types';
import { Section, View } from '../ui/content';
import { Field } from '../ui/fields';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages } from '../use-query';
import { ErasureView } from './erasure';
import type { ViewProps } from './view-props';

const LIVE_MS = 5_000;
const STATES: [value: string, label: string][] = [
  ['', 'all'],
  ['overdue', 'overdue'],
  ['open', 'open'],
  ['completed', 'completed'],
];

export function Erasures({ args: [id], query }: ViewProps) {
  return id === undefined ? <List query={query} /> : <ErasureView id={id} />;
}

function List({ query }: { query: URLSearchParams }) {
  const filters = filtersOf(query, 'erasures', ['state', 'holder']);
  return (
    <View title="Erasures">
      {/* What somebody has to do something about comes first, however old it is. */}
      {!query.get('state') && (
        <Section title="Overdue">
          <Cases path="erasures?limit=50&state=overdue" empty="No answer is overdue." />
        </Section>
      )}
      <Section title="Cases">
        <div class="filters">
          <Field label="State" options={STATES} {...filters.field('state')} />
          <Field label="Data holder" type="search" {...filters.field('holder')} />
        </div>
        <Cases path={filters.path} empty="There are none. Erasing a user opens a case." />
      </Section>
      <DataHolders />
      <LookUp />
    </View>
  );
}

function Cases({ path, empty }: { path: string; empty: string }) {
  const pages = usePages<ErasureList>(path, LIVE_MS);
  return (
    <PagedTable
      caption="Cases"
      pages={pages}
      rowsOf={({ erasures }) => erasures}
      keyOf={({ id }) => id}
      empty={empty}
      columns={[
        { title: 'Case', cell: ({ id }) => <a href={href(['erasures', id])}>{id}</a> },
        { title: 'State', cell: (erasure) => <CaseState erasure={erasure} /> },
        { title: 'Requested by', cell: ({ requestedBy }) => requestedBy },
        { title: 'Opened', cell: ({ openedAt }) => <Time at={openedAt} /> },
      ]}
    />
  );
}
