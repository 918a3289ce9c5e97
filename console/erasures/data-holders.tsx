import { useState } from 'preact/hooks';
import { duration } from '../format';
import { useCan } from '../me';
import { request } from '../session';
import type { DataHolder, DataHolderList, DataHolderWithKey } from '../types';
import { Empty, Loaded, Section } from '../ui/content';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';
import { Table } from '../ui/table';
import { useQuery } from '../use-query';
import { Secret } from '../webhooks/secret';

const DAY_SECONDS = 86_400;

export function DataHolders() {
  const query = useQuery<DataHolderList>('data-holders');
  const can = useCan();
  const isWriter = can('erasures:write');
  return (
    <Section title="Data holders" actions={isWriter && <Edit reload={query.reload} />}>
      <Loaded query={query}>
        {({ dataHolders }) =>
          dataHolders.length === 0 ? (
            <Empty>There are none. A service that holds copies of users is registered as one.</Empty>
          ) : (
            <Table
              caption="Data holders"
              rows={dataHolders}
              keyOf={({ name }) => name}
              columns={[
                { title: 'Name', cell: ({ name }) => name },
                { title: 'Deadline', cell: ({ deadlineSeconds }) => duration(deadlineSeconds * 1000) },
                { title: 'Queue', cell: ({ queue }) => queue ?? 'none' },
                { title: 'Contact', cell: ({ contact }) => contact ?? 'none' },
                { title: 'Answers by', cell: ({ hasKey }) => (hasKey ? 'AMQP or HTTP' : 'AMQP') },
                {
                  title: 'Actions',
                  cell: (holder) => isWriter && <Actions holder={holder} reload={query.reload} />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function Actions({ holder, reload }: { holder: DataHolder; reload: () => void }) {
  const [key, setKey] = useState<string>();
  const { name, version } = holder;
  const createKey = async () => {
    setKey((await request<DataHolderWithKey>('POST', `data-holders/${name}/key`)).key);
    reload();
  };
  const remove = async () => {
    await request('DELETE', `data-holders/${name}`, { version });
    reload();
  };
  return (
    <div class="actions">
      {key !== undefined && <Secret title="The key" secret={key} onClose={() => setKey(undefined)} />}
      <Edit key={`edit${version}`} holder={holder} reload={reload} />
      <Action label="New key" title={`A new key for ${name}`} submit="Create" onSubmit={createKey}>
        <p>{name} can answer by HTTP with it. An earlier key stops working.</p>
      </Action>
      <Action label="Remove" title={`Remove ${name}`} kind="danger" onSubmit={remove}>
        <p>Later erasures do not await its answer.</p>
      </Action>
    </div>
  );
}

function Edit({ holder, reload }: { holder?: DataHolder; reload: () => void }) {
  const [name, setName] = useState(holder?.name ?? '');
  const [days, setDays] = useState(String((holder?.deadlineSeconds ?? 30 * DAY_SECONDS) / DAY_SECONDS));
  const [queue, setQueue] = useState(holder?.queue ?? '');
  const [contact, setContact] = useState(holder?.contact ?? '');
  const save = async () => {
    const body = {
      deadlineSeconds: Math.round(Number(days) * DAY_SECONDS),
      queue: queue || null,
      contact: contact || null,
    };
    const path = `data-holders/${encodeURIComponent(name)}`;
    await request('PUT', path, { body, ...(holder && { version: holder.version }) });
    reload();
  };
  return (
    <Action
      label={holder ? 'Edit' : 'New data holder'}
      title={holder ? `Edit ${holder.name}` : 'New data holder'}
      submit="Save"
      onSubmit={save}
    >
      {!holder && <Field label="Name" value={name} onInput={setName} required />}
      <Field label="Deadline in days" value={days} onInput={setDays} required />
      <Field label="Queue" value={queue} onInput={setQueue} hint="Requests are sent to it again" />
      <Field
        label="Contact"
        type="email"
        value={contact}
        onInput={setContact}
        hint="Is told of overdue answers"
      />
    </Action>
  );
}
