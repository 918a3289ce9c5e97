import { request } from '../session';
import type { FactorList, PasskeyList } from '../types';
import { Empty, Loaded, Section } from '../ui/content';
import { Action } from '../ui/dialog';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { useQuery } from '../use-query';

const lastUsed = ({ lastUsedAt }: { lastUsedAt: string | null }) =>
  lastUsedAt ? <Time at={lastUsedAt} isRelative /> : 'never';
const since = ({ createdAt }: { createdAt: string }) => <Time at={createdAt} />;

/** What a user has beside the password. Support removes what is lost. */
export function Factors({ id }: { id: string }) {
  const query = useQuery<FactorList>(`users/${id}/factors`);
  return (
    <Section title="Authenticator apps">
      <Loaded query={query}>
        {({ factors, recoveryCodes }) => (
          <>
            {factors.length === 0 ? (
              <Empty>This user has none.</Empty>
            ) : (
              <Table
                caption="Authenticator apps"
                rows={factors}
                keyOf={(factor) => factor.id}
                columns={[
                  { title: 'Factor', cell: () => 'Authenticator app' },
                  { title: 'Last used', cell: lastUsed },
                  { title: 'Since', cell: since },
                  {
                    title: 'Remove',
                    cell: (factor) => (
                      <Remove
                        what="authenticator app"
                        path={`users/${id}/factors/${factor.id}`}
                        reload={query.reload}
                      />
                    ),
                  },
                ]}
              />
            )}
            {recoveryCodes > 0 && <p class="hint">Recovery codes that remain: {recoveryCodes}</p>}
          </>
        )}
      </Loaded>
    </Section>
  );
}

export function Passkeys({ id }: { id: string }) {
  const query = useQuery<PasskeyList>(`users/${id}/passkeys`);
  return (
    <Section title="Passkeys">
      <Loaded query={query}>
        {({ passkeys }) =>
          passkeys.length === 0 ? (
            <Empty>This user has none.</Empty>
          ) : (
            <Table
              caption="Passkeys"
              rows={passkeys}
              keyOf={(passkey) => passkey.id}
              columns={[
                { title: 'Name', cell: ({ name }) => name },
                { title: 'Last used', cell: lastUsed },
                { title: 'Since', cell: since },
                {
                  title: 'Copy suspected',
                  cell: ({ suspectedCloneAt: at }) => (at ? <Time at={at} isRelative /> : 'no'),
                },
                {
                  title: 'Remove',
                  cell: (passkey) => (
                    <Remove
                      what="passkey"
                      path={`users/${id}/passkeys/${passkey.id}`}
                      reload={query.reload}
                    />
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function Remove({ what, path, reload }: { what: string; path: string; reload: () => void }) {
  const remove = async () => {
    await request('DELETE', path);
    reload();
  };
  return (
    <Action label="Remove" title={`Remove the ${what}`} kind="danger" onSubmit={remove}>
      <p>Do this only if you know that the user asks for it. They get a mail that says so.</p>
    </Action>
  );
}
