import { useState } from 'preact/hooks';
import { EVENT_TYPES, type EventType } from '../../shared/events/catalog';
import { useCan } from '../me';
import { href } from '../route';
import { request } from '../session';
import type { WebhookList, WebhookWithSecret } from '../types';
import { View } from '../ui/content';
import { Action } from '../ui/dialog';
import { Choices, Field } from '../ui/fields';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages } from '../use-query';
import { Secret } from '../webhooks/secret';
import { WebhookState } from '../webhooks/webhook-state';
import type { ViewProps } from './view-props';
import { WebhookView } from './webhook';

const LIVE_MS = 5_000;

export function Webhooks({ args: [id] }: ViewProps) {
  return id === undefined ? <List /> : <WebhookView id={id} />;
}

function List() {
  const pages = usePages<WebhookList>('webhooks?limit=50', LIVE_MS);
  const can = useCan();
  const [secret, setSecret] = useState<string>();
  return (
    <View
      title="Webhooks"
      actions={can('webhooks:write') && <NewWebhook onCreated={setSecret} reload={pages.reload} />}
    >
      {secret !== undefined && <Secret secret={secret} onClose={() => setSecret(undefined)} />}
      <PagedTable
        caption="Webhooks"
        pages={pages}
        rowsOf={({ webhooks }) => webhooks}
        keyOf={({ id }) => id}
        empty="There are no webhooks. A webhook sends events to an HTTPS address, signed."
        columns={[
          { title: 'URL', cell: ({ id, url }) => <a href={href(['webhooks', id])}>{url}</a> },
          { title: 'Events', cell: ({ eventTypes }) => eventTypes.join(', ') },
          { title: 'State', cell: (webhook) => <WebhookState webhook={webhook} /> },
          { title: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
        ]}
      />
    </View>
  );
}

function NewWebhook({ onCreated, reload }: { onCreated: (secret: string) => void; reload: () => void }) {
  const [url, setUrl] = useState('');
  const [types, setTypes] = useState<EventType[]>(['user.created']);
  const create = async () => {
    const { secret } = await request<WebhookWithSecret>('POST', 'webhooks', {
      body: { url, eventTypes: types },
    });
    onCreated(secret);
    reload();
  };
  return (
    <Action label="New webhook" submit="Create" onSubmit={create}>
      <Field label="URL" type="url" value={url} onInput={setUrl} required />
      <Choices legend="Events" options={EVENT_TYPES} chosen={types} onChange={setTypes} />
    </Action>
  );
}
