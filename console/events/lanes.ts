import { duration } from '../format';
import type { EventDetail, HistoryEntry } from '../types';
import type { Tone } from '../ui/state';

/** A step on an event's way. */
export interface Step {
  tone: Tone;
  title: string;
  /** The time since the commit, or what the step waits for. */
  time: string;
  error?: string | undefined;
}

/** The steps of one participant, in their order. */
export interface Lane {
  name: string;
  steps: Step[];
}

const TITLES: Record<HistoryEntry['kind'], string> = {
  committed: 'committed',
  published: 'published',
  publish_failed: 'not published',
  redelivered: 'sent again',
  failed: 'failed',
  waits: 'waits for an earlier event',
  dead: 'dead letter',
  handled: 'handled',
  mail_sent: 'mail sent',
  webhook_attempt: 'webhook',
};

const STEP_TONES: Partial<Record<HistoryEntry['kind'], Tone>> = {
  publish_failed: 'bad',
  failed: 'bad',
  dead: 'bad',
  waits: 'busy',
  redelivered: 'quiet',
};

/** @returns the lane from the commit to the broker, and those of the consumers that take the event */
export function lanesOf(event: EventDetail, now: number): { trunk: Lane; branches: Lane[] } {
  const start = new Date(event.createdAt).getTime();
  const stepOf = (entry: HistoryEntry): Step => ({
    tone: isFailedWebhook(entry) ? 'bad' : (STEP_TONES[entry.kind] ?? 'good'),
    title: titleOf(entry),
    time: entry.kind === 'committed' ? 'start' : `+${duration(new Date(entry.at).getTime() - start)}`,
    error: entry.error,
  });
  const trunk = event.history.filter((entry) => entry.consumer === undefined).map(stepOf);
  if (event.status === 'pending')
    trunk.push({ tone: 'busy', title: 'to be published', time: `for ${duration(now - start)}` });
  const branches = Object.entries(event.consumers).map(([name, state]): Lane => {
    const entries = event.history.filter((entry) => entry.consumer === name);
    const steps = entries.map(stepOf);
    const due = entries.at(-1)?.dueAt;
    if (state === 'retrying')
      steps.push({
        tone: 'busy',
        title: 'tries again',
        time: due ? `in ${duration(Math.max(0, new Date(due).getTime() - now))}` : 'soon',
      });
    if (state === 'waiting')
      steps.push({ tone: 'busy', title: 'to be handled', time: `for ${duration(now - start)}` });
    return { name, steps };
  });
  return { trunk: { name: 'Rollcall', steps: trunk }, branches };
}

function titleOf({ kind, attempt, detail }: HistoryEntry): string {
  if (kind === 'failed' && attempt !== undefined) return `attempt ${attempt} failed`;
  if (kind === 'mail_sent' && detail?.['template'])
    return `mail: ${String(detail['template']).replaceAll('_', ' ')}`;
  if (kind === 'webhook_attempt')
    return `${detail?.['host'] ?? 'webhook'}: ${detail?.['status'] ?? 'no answer'}`;
  if (kind === 'redelivered' && detail?.['reason']) return `sent again (${detail['reason']})`;
  return TITLES[kind];
}

function isFailedWebhook({ kind, detail }: HistoryEntry): boolean {
  const status = Number(detail?.['status'] ?? 0);
  return kind === 'webhook_attempt' && (status < 200 || status > 299);
}
