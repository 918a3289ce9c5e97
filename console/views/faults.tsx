import { useState } from 'preact/hooks';
import { EventTable } from '../events/event-table';
import { plural } from '../format';
import { request } from '../session';
import type { EventList, RegistrationReport } from '../types';
import { Button } from '../ui/button';
import { Empty, Section, View } from '../ui/content';
import { useNotify } from '../ui/notify';
import { State } from '../ui/state';
import { useFaults } from '../use-faults';
import { usePages, useQuery } from '../use-query';

const LIVE_MS = 1_000;
const MANY = 20;

const FAULTS: [name: string, label: string, effect: string][] = [
  [
    'stop-broker',
    'Stop the broker for 10 s',
    'The broker is away for 10 s. Registrations go on; their events wait.',
  ],
  ['cut-connections', 'Cut its connections', 'Every connection to the broker is broken.'],
  [
    'drop-confirms',
    'Drop confirms for 10 s',
    'For 10 s the broker takes events and does not say so: they are sent twice.',
  ],
  [
    'send-twice',
    'Send the newest event twice',
    'The newest event goes out once more. Every consumer drops it.',
  ],
  [
    'poison',
    'Poison the next registration',
    'The mail of the next registration fails for good: see Dead letters.',
  ],
  ['hang', 'Hang a consumer', 'The audit consumer does not answer for 10 s. The others go on.'],
];

/** Shows what the event backbone is for: faults that are real, and counters that stay equal. */
export function Faults() {
  const isOffered = useFaults();
  return (
    <View title="Faults">
      {isOffered ? (
        <>
          <Section title="Break something">
            <p class="actions">
              {FAULTS.map(([name, label, effect]) => (
                <Inject key={name} name={name} label={label} effect={effect} />
              ))}
            </p>
          </Section>
          <Registrations />
        </>
      ) : (
        <Empty>Faults can be injected under npm start with its own servers only.</Empty>
      )}
    </View>
  );
}

function Inject({ name, label, effect }: { name: string; label: string; effect: string }) {
  const notify = useNotify();
  const inject = async () => {
    await request('POST', `local/faults/${name}`);
    notify(effect);
  };
  return (
    <Button onClick={inject} title={effect}>
      {label}
    </Button>
  );
}

/** Registers users and counts how far their events are. */
function Registrations() {
  const [subjects, setSubjects] = useState<ReadonlySet<string>>(new Set());
  const pages = usePages<EventList>('events?type=user.created&limit=100', LIVE_MS);
  const registered = useRegistered();
  const register = async () => {
    const users = await Promise.all(Array.from({ length: MANY }, registerSomebody));
    setSubjects(new Set([...subjects, ...users]));
  };
  const events = pages.data?.events.filter(({ subject }) => subjects.has(subject)) ?? [];
  const published = events.filter(({ status }) => status === 'published').length;
  const effects = events.flatMap(({ consumers }) => Object.values(consumers));
  const handled = effects.filter((state) => state === 'handled').length;
  const waiting = events.filter(({ consumers }) =>
    Object.values(consumers).some((state) => state !== 'handled'),
  ).length;
  return (
    <Section
      title="Register"
      actions={
        <Button kind="primary" onClick={register}>
          Register {MANY} users
        </Button>
      }
    >
      <dl class="vitals" aria-live="polite">
        <Counter name="Registered (201)" value={subjects.size} />
        <Counter name="Published" value={published} />
        <Counter name="Waiting" value={waiting} />
        <Counter name="Effects" value={`${handled} of ${effects.length}`} />
        <Counter name="Counted by analytics in all" value={registered ?? '…'} />
      </dl>
      {subjects.size > 0 && waiting === 0 && events.length === subjects.size && (
        <p>
          <State tone="good">{plural(subjects.size, 'registration')}, and each effect once</State>
        </p>
      )}
      <EventTable pages={pages} />
    </Section>
  );
}

function Counter({ name, value }: { name: string; value: number | string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const HOUR_MS = 60 * 60 * 1000;

/** All registrations of the last day, as the analytics consumer has counted them. */
function useRegistered(): number | undefined {
  const end = new Date(Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS);
  const range = {
    from: new Date(end.getTime() - 24 * HOUR_MS).toISOString(),
    to: end.toISOString(),
    interval: 'hour',
  };
  return useQuery<RegistrationReport>(`analytics/registrations?${new URLSearchParams(range)}`, LIVE_MS).data
    ?.totals.registrations;
}

async function registerSomebody(): Promise<string> {
  const id = crypto.randomUUID();
  const name = `demo-${id.slice(0, 13)}`;
  const body = { username: name, email: `${name}@example.com`, password: `a demonstration ${id}` };
  const { user } = await request<{ user: { id: string } }>('POST', 'register', { body });
  return user.id;
}
