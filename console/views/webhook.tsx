import { useState } from 'preact/hooks';
import { duration } from '../format';
import { useCan } from '../me';
import { go, href } from '../route';
import { request } from '../session';
import type { Delivery, DeliveryList, Webhook, WebhookWithSecret } from '../types';
import { Button } from '../ui/button';
import { Facts, Loaded, Section, View } from '../ui/content';
import { Action } from '../ui/dialog';
import { useNotify } from '../ui/notify';
import { State, type Tone } from '../ui/state';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages, useQuery } from '../use-query';
import { Secret } from '../webhooks/secret';
import { WebhookState } from '../webhooks/webhook-state';

const LIVE_MS = 2_000;

export function WebhookView({ id }: { id: string }) {
  const query = useQuery<Webhook>(`webhooks/${id}`, LIVE_MS);
  const can = useCan();
  return (
    <View
      title="Webhook"
      actions={
        query.data && can('webhooks:write') && <WebhookActions webhook={query.data} reload={query.reload} />
      }
    >
      <Loaded query={query}>
        {(webhook) => (
          <Facts
            facts={[
              ['URL', webhook.url],
              ['State', <WebhookState key="state" webhook={webhook} />],
              ['Events', webhook.eventTypes.join(', ')],
              ['Description', webhook.description ?? 'none'],
              ['Created', <Time key="created" at={webhook.createdAt} />],
            ]}
          />
        )}
      </Loaded>
      <Deliveries id={id} />
    </View>
  );
}

function WebhookActions({ webhook, reload }: { webhook: Webhook; reload: () => void }) {
  const { id, version, enabled } = webhook;
  const notify = useNotify();
  const [secret, setSecret] = useState<string>();
  const test = async () => {
    await request('POST', `webhooks/${id}/test`);
    notify('A test event is on its way.');
  };
  const rotate = async () => {
    const rotated = await request<WebhookWithSecret>('POST', `webhooks/${id}/rotate-secret`, { version });
    setSecret(rotated.secret);
    reload();
  };
  const change = async () => {
    await request('PUT', `webhooks/${id}`, { body: { enabled: !enabled }, version });
    reload();
  };
  const remove = async () => {
    await request('DELETE', `webhooks/${id}`, { version });
    go(['webhooks']);
  };
  return (
    <>
      {secret !== undefined && <Secret secret={secret} onClose={() => setSecret(undefined)} />}
      <Button onClick={test}>Test</Button>
      <Action label="Rotate the secret" onSubmit={rotate}>
        <p>The old secret signs beside the new one for a day, so that the receiver has time to change.</p>
      </Action>
      <Action label={enabled ? 'Disable' : 'Enable'} onSubmit={change}>
        <p>
          {enabled ? 'It gets no more events until it is enabled again.' : 'It gets the events from now on.'}
        </p>
      </Action>
      <Action label="Delete" title="Delete the webhook" kind="danger" onSubmit={remove}>
        <p>Its deliveries are deleted too.</p>
      </Action>
    </>
  );
}

const TONES: Record<Delivery['status'], Tone> = { succeeded: 'good', pending: 'busy', failed: 'bad' };

function Deliveries({ id }: { id: string }) {
  const pages = usePages<DeliveryList>(`webhooks/${id}/deliveries?limit=50`, LIVE_MS);
  const can = useCan();
  const again = async (delivery: Delivery) => {
    await request('POST', `webhooks/${id}/deliveries/${delivery.id}/redeliver`);
    pages.reload();
  };
  return (
    <Section title="Deliveries">
      <PagedTable
        caption="Deliveries, newest first"
        pages={pages}
        rowsOf={({ deliveries }) => deliveries}
        keyOf={(delivery) => delivery.id}
        empty="Nothing was sent yet. Test sends an event of its own."
        columns={[
          { title: 'Event', cell: ({ id: eventId, type }) => <a href={href(['events', eventId])}>{type}</a> },
          { title: 'State', cell: ({ status }) => <State tone={TONES[status]}>{status}</State> },
          { title: 'Created', cell: ({ createdAt }) => <Time at={createdAt} isRelative /> },
          { title: 'Attempts', cell: (delivery) => <Attempts delivery={delivery} /> },
          {
            title: 'Again',
            cell: (delivery) =>
              can('webhooks:write') && <Button onClick={() => again(delivery)}>Send again</Button>,
          },
        ]}
      />
    </Section>
  );
}

function Attempts({ delivery: { attempts, nextAttemptAt } }: { delivery: Delivery }) {
  return (
    <>
      <ol class="attempts">
        {attempts.map(({ attempt, startedAt, durationMs, responseStatus, response, error }) => (
          <li key={attempt} value={attempt}>
            <Time at={startedAt} isRelative />: {responseStatus ?? error} in {duration(durationMs)}
            {response && <code>{response}</code>}
          </li>
        ))}
      </ol>
      {nextAttemptAt && (
        <>
          next <Time at={nextAttemptAt} isRelative />
        </>
      )}
    </>
  );
}
