import { plural } from '../format';
import { useCan } from '../me';
import { changeQuery, href } from '../route';
import { request } from '../session';
import type { DeadLetterList } from '../types';
import { View } from '../ui/content';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';
import { useNotify } from '../ui/notify';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages } from '../use-query';
import { DeadLetterView, nameOf } from './dead-letter';
import type { ViewProps } from './view-props';

const LIVE_MS = 2_000;

export function DeadLetters({ args: [id], query }: ViewProps) {
  return id === undefined ? <List queue={query.get('queue') ?? ''} /> : <DeadLetterView id={id} />;
}

function List({ queue }: { queue: string }) {
  const pages = usePages<DeadLetterList>(
    `dead-letters?${new URLSearchParams({ limit: '50', ...(queue && { queue }) })}`,
    LIVE_MS,
  );
  const rows = [pages.data, ...pages.more].flatMap((page) => page?.deadLetters ?? []);
  const queues = [...new Set([...(queue ? [queue] : []), ...rows.map((letter) => letter.queue)])];
  return (
    <View title="Dead letters" actions={queue && <RedriveAll queue={queue} onDone={pages.reload} />}>
      <search class="filters">
        <Field
          label="Queue"
          value={queue}
          onInput={(value) => changeQuery({ queue: value })}
          options={[['', 'all'], ...queues]}
        />
        {!queue && rows.length > 0 && (
          <p class="hint">Choose a queue to send all of its dead letters again.</p>
        )}
      </search>
      <PagedTable
        caption="Dead letters, newest first"
        pages={pages}
        rowsOf={({ deadLetters }) => deadLetters}
        keyOf={({ id }) => id}
        empty="There are no dead letters: every event was handled, or is still being tried."
        columns={[
          {
            title: 'Event',
            cell: (letter) => <a href={href(['dead-letters', letter.id])}>{nameOf(letter)}</a>,
          },
          { title: 'Queue', cell: (letter) => letter.queue },
          { title: 'Failed', cell: ({ failedAt }) => <Time at={failedAt} isRelative /> },
          { title: 'Attempts', cell: ({ attempts }) => attempts },
          { title: 'Error', cell: ({ error }) => <span class="error-text">{error}</span> },
        ]}
      />
    </View>
  );
}

function RedriveAll({ queue, onDone }: { queue: string; onDone: () => void }) {
  const can = useCan();
  const notify = useNotify();
  const redrive = async () => {
    const { redriven } = await request<{ redriven: number }>('POST', 'dead-letters/redrive', {
      body: { queue },
    });
    notify(`${plural(redriven, 'dead letter')} of ${queue} will be sent again.`);
    onDone();
  };
  if (!can('events:write')) return null;
  return (
    <Action label="Send all again" title={`Send all dead letters of ${queue} again`} onSubmit={redrive}>
      <p>Each event goes to this queue alone, and takes effect once.</p>
    </Action>
  );
}
