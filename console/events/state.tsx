import type { LoggedEvent } from '../types';
import { State, type Tone } from '../ui/state';

/** Whether an event has left for the broker. */
export function EventState({ event: { status, attempts, lastError } }: { event: LoggedEvent }) {
  if (status === 'published') return <State tone="good">published</State>;
  return (
    <State tone="busy">{attempts === 0 ? 'not published yet' : `${attempts} attempts: ${lastError}`}</State>
  );
}

const TONES: Record<string, Tone> = {
  handled: 'good',
  waiting: 'busy',
  retrying: 'busy',
  dead: 'bad',
};

/** The state of each consumer that receives the event. */
export function Consumers({ event }: { event: LoggedEvent }) {
  const entries = Object.entries(event.consumers);
  const isDone = entries.every(([, state]) => state === 'handled');
  if (isDone) return <State tone="good">all {entries.length} handled it</State>;
  return (
    <ul class="consumers">
      {entries.map(([name, state]) => (
        <li key={name}>
          <State tone={TONES[state] ?? 'quiet'}>
            {name}
            <span class="visually-hidden">: {state}</span>
          </State>
        </li>
      ))}
    </ul>
  );
}
