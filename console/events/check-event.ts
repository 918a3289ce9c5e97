import * as v from 'valibot';
import { EVENT_TYPES, type EventType, eventSchema } from '../../shared/events/catalog';

export type Checked = { ok: true; event: Record<string, unknown> } | { ok: false; problems: string[] };

/** Checks a text against the published schema of the event's type, as the API does. */
export function checkEvent(text: string): Checked {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [`This is not JSON: ${(error as Error).message}`] };
  }
  if (!isRecord(event)) return { ok: false, problems: ['An event is a JSON object.'] };
  const type = event['type'];
  if (!EVENT_TYPES.includes(type as EventType))
    return { ok: false, problems: [`type must be one of ${EVENT_TYPES.join(', ')}`] };
  const { success, issues } = v.safeParse(eventSchema(type as EventType), event);
  if (success) return { ok: true, event };
  return { ok: false, problems: issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
