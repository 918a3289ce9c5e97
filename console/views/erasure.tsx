import { CaseState } from '../erasures/case-state';
import { useCan } from '../me';
import { href } from '../route';
import { request } from '../session';
import type { Erasure } from '../types';
import { Facts, Loaded, Section, View } from '../ui/content';
import { Action } from '../ui/dialog';
import { useNotify } from '../ui/notify';
import { State } from '../ui/state';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { useQuery } from '../use-query';

const LIVE_MS = 2_000;

type Receipt = Erasure['receipts'][number];

export function ErasureView({ id }: { id: string }) {
  const query = useQuery<Erasure>(`erasures/${id}`, LIVE_MS);
  return (
    <View title="Erasure">
      <Loaded query={query}>
        {(erasure) => (
          <>
            <Facts
              facts={[
                ['State', <CaseState key="state" erasure={erasure} />],
                ['Opened', <Time key="opened" at={erasure.openedAt} />],
                ['Requested by', erasure.requestedBy],
                [
                  'User',
                  <a key="user" href={href(['events'], { subject: erasure.userId })}>
                    {erasure.userId}
                  </a>,
                ],
              ]}
            />
            <Section title="Receipts">
              <Receipts erasure={erasure} reload={query.reload} />
            </Section>
          </>
        )}
      </Loaded>
    </View>
  );
}

function Receipts({ erasure, reload }: { erasure: Erasure; reload: () => void }) {
  if (erasure.receipts.length === 0) return <p class="empty">No data holder was registered then.</p>;
  return (
    <Table
      caption="Receipts"
      rows={[...erasure.receipts].sort(byUrgency)}
      keyOf={({ holder }) => holder}
      columns={[
        { title: 'Data holder', cell: ({ holder }) => holder },
        { title: 'Answer', cell: (receipt) => <Answer receipt={receipt} /> },
        { title: 'Due', cell: ({ dueAt }) => <Time at={dueAt} /> },
        { title: 'Asked again', cell: ({ reminders }) => reminders || 'never' },
        {
          title: 'Actions',
          cell: (receipt) => <Actions id={erasure.id} receipt={receipt} reload={reload} />,
        },
      ]}
    />
  );
}

/** Overdue ones first, then those that are awaited. */
function byUrgency(one: Receipt, other: Receipt): number {
  const rank = ({ isOverdue, receivedAt }: Receipt) => (isOverdue ? 0 : receivedAt === null ? 1 : 2);
  return rank(one) - rank(other) || one.dueAt.localeCompare(other.dueAt);
}

function Answer({ receipt: { outcome, receivedAt, receivedBy, isOverdue } }: { receipt: Receipt }) {
  if (receivedAt === null)
    return isOverdue ? <State tone="bad">overdue</State> : <State tone="busy">awaited</State>;
  return (
    <State tone="good">
      {outcome === 'erased' ? 'erased' : 'held nothing'}, by {receivedBy} <Time at={receivedAt} isRelative />
    </State>
  );
}

function Actions({ id, receipt, reload }: { id: string; receipt: Receipt; reload: () => void }) {
  const can = useCan();
  const notify = useNotify();
  const { holder } = receipt;
  if (receipt.receivedAt !== null || !can('erasures:write')) return null;
  const redrive = async () => {
    await request('POST', `erasures/${id}/holders/${holder}/redrive`);
    notify(`${holder} is asked again.`);
    reload();
  };
  const answer = async () => {
    await request('POST', `erasures/${id}/receipts`, { body: { outcome: 'erased', holder } });
    notify(`The answer of ${holder} is recorded.`);
    reload();
  };
  return (
    <div class="actions">
      <Action label="Ask again" title={`Ask ${holder} again`} onSubmit={redrive}>
        <p>The request is sent to its queue once more, with the same id.</p>
      </Action>
      <Action label="Record" title={`Record the answer of ${holder}`} submit="Record" onSubmit={answer}>
        <p>Do this only if you know that {holder} has erased the user. The audit log says that it was you.</p>
      </Action>
    </div>
  );
}
