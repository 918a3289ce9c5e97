import { EventTable } from '../events/event-table';
import { useCan } from '../me';
import type { EventList, SessionList, User } from '../types';
import { Empty, Facts, Json, Loaded, Section, View } from '../ui/content';
import { Table } from '../ui/table';
import { Time } from '../ui/time';
import { usePages, useQuery } from '../use-query';
import { Export } from '../users/export';
import { Factors, Passkeys } from '../users/factors';
import { suspensionFacts } from '../users/suspension';
import { Verified } from '../users/verified';
import { EndSession, UserActions } from './user-actions';

const LIVE_MS = 2_000;

export function UserView({ id }: { id: string }) {
  const query = useQuery<User>(`users/${id}`);
  const can = useCan();
  return (
    <View
      title={query.data?.username ?? 'User'}
      actions={query.data && can('users:write') && <UserActions user={query.data} reload={query.reload} />}
    >
      <Loaded query={query}>
        {(user) => (
          <Facts
            facts={[
              ['Email address', user.email ?? 'none'],
              ['Verified', <Verified key="verified" user={user} />],
              ['Pending address', user.pendingEmail ?? 'none'],
              ['Display name', user.displayName ?? 'none'],
              ['Role', user.role],
              ...suspensionFacts(user),
              ['Registered', <Time key="created" at={user.createdAt} />],
              ['Changed', <Time key="updated" at={user.updatedAt} />],
              ['Version', user.version],
              ['Id', user.id],
            ]}
          />
        )}
      </Loaded>
      {query.data && Object.keys(query.data.metadata).length > 0 && (
        <Section title="Metadata">
          <Json value={query.data.metadata} label="Metadata" />
        </Section>
      )}
      {can('users:write') && <Factors id={id} />}
      {can('users:write') && <Passkeys id={id} />}
      <Sessions id={id} />
      <Export id={id} />
      {can('events:read') && <UserEvents id={id} />}
    </View>
  );
}

function Sessions({ id }: { id: string }) {
  const query = useQuery<SessionList>(`users/${id}/sessions`);
  return (
    <Section title="Sessions">
      <Loaded query={query}>
        {({ sessions }) =>
          sessions.length === 0 ? (
            <Empty>This user is not logged in anywhere.</Empty>
          ) : (
            <Table
              caption="Sessions"
              rows={sessions}
              keyOf={(session) => session.id}
              columns={[
                { title: 'Client', cell: ({ userAgent }) => userAgent ?? 'unknown' },
                { title: 'Address', cell: ({ address }) => address ?? 'unknown' },
                { title: 'Last used', cell: ({ lastUsedAt }) => <Time at={lastUsedAt} isRelative /> },
                { title: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
                {
                  title: 'End',
                  cell: (session) => <EndSession userId={id} sessionId={session.id} reload={query.reload} />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function UserEvents({ id }: { id: string }) {
  const pages = usePages<EventList>(`events?limit=20&subject=${id}`, LIVE_MS);
  return (
    <Section title="Events">
      <EventTable pages={pages} />
    </Section>
  );
}
