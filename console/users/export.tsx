import { useState } from 'preact/hooks';
import { useCan } from '../me';
import { request } from '../session';
import type { DataExport } from '../types';
import { Button } from '../ui/button';
import { Empty, Loaded, Section } from '../ui/content';
import { State } from '../ui/state';
import { useQuery } from '../use-query';

const LIVE_MS = 2_000;

/** All that is known about a user, here and at the data holders, as one file. */
export function Export({ id }: { id: string }) {
  const can = useCan();
  const [exportId, setExportId] = useState<string>();
  const query = useQuery<DataExport>(exportId === undefined ? null : `exports/${exportId}`, LIVE_MS);
  if (!can('erasures:write')) return null;
  const collect = async () => {
    const opened = await request<DataExport>('POST', `users/${id}/exports`);
    setExportId(opened.id);
  };
  return (
    <Section title="Export" actions={<Button onClick={collect}>Collect the data</Button>}>
      {exportId === undefined ? (
        <Empty>All that Rollcall and the data holders know about this user, as one file.</Empty>
      ) : (
        <Loaded query={query}>{(found) => <Progress found={found} />}</Loaded>
      )}
    </Section>
  );
}

function Progress({ found: { id, userId, state, receipts } }: { found: DataExport }) {
  const answered = receipts.filter(({ receivedAt }) => receivedAt !== null).length;
  const progress = `${answered} of ${receipts.length} data holders have answered`;
  if (state === 'pending') return <State tone="busy">{progress}</State>;
  const download = async () => save(userId, await request('GET', `exports/${id}/data`));
  return (
    <p class="actions">
      <State tone={state === 'ready' ? 'good' : 'bad'}>{progress}</State>
      <Button onClick={download}>Download</Button>
    </p>
  );
}

function save(userId: string, data: unknown): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }));
  link.download = `export-${userId}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
