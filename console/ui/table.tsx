import type { ComponentChildren } from 'preact';
import type { Pages } from '../use-query';
import { Button } from './button';
import { Empty, Loaded } from './content';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  /** Says what the rows are, to those who do not see the heading. */
  caption: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
}

export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keyboard
    <section class="table" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell }) => (
                <td key={title} data-title={title}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface PagedTableProps<T, P extends { nextCursor: string | null }> extends Omit<TableProps<T>, 'rows'> {
  pages: Pages<P>;
  rowsOf: (page: P) => T[];
  /** Shown if there are no rows: what to do. */
  empty: ComponentChildren;
}

export function PagedTable<T, P extends { nextCursor: string | null }>(props: PagedTableProps<T, P>) {
  const { pages, rowsOf, empty, ...table } = props;
  return (
    <Loaded query={pages}>
      {(first) => {
        const rows = [first, ...pages.more].flatMap(rowsOf);
        return (
          <>
            {rows.length > 0 && <Table {...table} rows={rows} />}
            {/* A search looks at a part of a long list at a time. */}
            {rows.length === 0 && <Empty>{pages.readMore ? 'Nothing in the newest part.' : empty}</Empty>}
            {pages.readMore && (
              <p class="more">
                <Button onClick={pages.readMore}>Older</Button>
              </p>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
