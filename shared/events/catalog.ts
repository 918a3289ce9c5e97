import * as v from 'valibot';
import { parseTime } from '../time';

const Id = v.pipe(v.string(), v.uuid());
const Time = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.check((text) => parseTime(text) !== null),
);

const OfCase = v.object({ id: Id, caseId: Id });

/**
 * All event types and their data. Storing an event keeps these fields and drops all others, so that nothing else, such as
 * a password hash, can reach the broker.
 */
export const EVENT_DATA = {
  'user.created': v.object({
    id: Id,
    username: v.string(),
    email: v.nullable(v.string()),
    role: v.string(),
    createdAt: Time,
  }),
  'user.updated': v.object({
    id: Id,
    username: v.string(),
    email: v.nullable(v.string()),
    changes: v.record(v.string(), v.object({ from: v.unknown(), to: v.unknown() })),
  }),
  'user.deleted': v.object({ id: Id }),
  // The services that hold copies of the user's data erase them, and answer with a receipt for the case.
  'user.erasure_requested': OfCase,
  'user.erasure_completed': OfCase,
  // These services answer likewise with what they hold. No event contains any of it.
  'user.export_requested': OfCase,
  'user.export_ready': OfCase,
  'user.email_verified': v.object({ id: Id }),
  // The `user.updated` of the same change contains the new address.
  'user.email_change_requested': v.object({ id: Id }),
  'user.email_changed': v.object({ id: Id, from: v.nullable(v.string()), to: v.nullable(v.string()) }),
  'user.password_changed': v.object({ id: Id }),
  // `reason` is there if it was set before the address was verified, so perhaps by somebody else.
  'user.password_removed': v.object({ id: Id, reason: v.optional(v.literal('set_before_verification')) }),
  // Never the reason, which is for administrators only.
  'user.suspended': v.object({ id: Id, until: v.nullable(Time) }),
  'user.restored': v.object({ id: Id }),
  'user.role_changed': v.object({ id: Id, from: v.string(), to: v.string() }),
  'user.factor_added': v.object({ id: Id, factorId: Id, factorType: v.literal('totp') }),
  'user.factor_removed': v.object({ id: Id, factorId: Id, factorType: v.literal('totp') }),
  'user.passkey_added': v.object({ id: Id, passkeyId: Id }),
  'user.passkey_removed': v.object({ id: Id, passkeyId: Id }),
  'user.recovery_codes_created': v.object({ id: Id }),
  'user.recovery_code_used': v.object({ id: Id, remaining: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  // These contain no token and no code: the email consumer makes them, so that they never cross the broker.
  'user.verification_requested': v.object({ id: Id }),
  'user.password_reset_requested': v.object({ id: Id }),
  'user.login_code_requested': v.object({ id: Id, requestId: Id }),
  'session.created': v.object({
    userId: Id,
    sessionId: Id,
    reason: v.literal('login'),
    // By which methods (RFC 8176). Earlier events have none.
    amr: v.optional(v.array(v.string())),
  }),
  'session.revoked': v.object({
    userId: Id,
    sessionId: Id,
    reason: v.picklist([
      'logout',
      'logout_all',
      'revoked',
      'password_changed',
      'reuse_detected',
      'user_deleted',
    ]),
    // What ended the session, where the reason does not say it: `user_suspended`. The reasons are a closed list to consumers.
    cause: v.optional(v.string()),
  }),
  // The user has proven again to be the session's, by these methods.
  'session.elevated': v.object({ userId: Id, sessionId: Id, amr: v.array(v.string()) }),
  'session.reuse_detected': v.object({
    userId: Id,
    sessionId: Id,
    reason: v.literal('refresh_token_reused'),
  }),
  // The subject is the webhook. Only the host of its URL, because the path may contain a token.
  'webhook.disabled': v.object({ id: Id, host: v.string(), reason: v.picklist(['gone', 'failing']) }),
} as const;

export type EventType = keyof typeof EVENT_DATA;
export type EventData<T extends EventType = EventType> = v.InferOutput<(typeof EVENT_DATA)[T]>;

export const EVENT_TYPES = Object.keys(EVENT_DATA) as EventType[];

/** A non-empty list of event types. */
export const EventTypeList = v.pipe(
  v.array(v.picklist(EVENT_TYPES, 'must be an event type'), 'must be a list'),
  v.minLength(1, 'must not be empty; omit it for all types'),
);

/** A CloudEvents 1.0 event in structured mode. */
const EventEnvelope = v.object({
  specversion: v.literal('1.0'),
  id: Id,
  source: v.literal('rollcall'),
  subject: Id,
  time: Time,
  datacontenttype: v.literal('application/json'),
  sequence: v.pipe(v.string(), v.regex(/^\d{10}(\.\d{10})?$/)),
  traceparent: v.optional(v.string()),
});

export type UserEvent<T extends EventType = EventType> = {
  [K in T]: v.InferOutput<typeof EventEnvelope> & { type: K; data: EventData<K> };
}[T];

/** The schema of an event type. Published as JSON Schema: `npm run asyncapi`. */
export function eventSchema(type: EventType) {
  return v.object({ ...EventEnvelope.entries, type: v.literal(type), data: EVENT_DATA[type] });
}

/** @returns null if it is not a valid event */
export function parseEvent(body: Buffer): UserEvent | null {
  try {
    return readEvent(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}

export function isEvent(json: unknown): json is UserEvent {
  try {
    readEvent(json);
    return true;
  } catch {
    return false;
  }
}

const schemas = new Map<EventType, ReturnType<typeof eventSchema>>();

/** Created at a type's first event, because creating a schema takes longer than parsing with it. */
function schemaFor(type: EventType): ReturnType<typeof eventSchema> {
  const schema = schemas.get(type) ?? eventSchema(type);
  schemas.set(type, schema);
  return schema;
}

function readEvent(json: unknown): UserEvent {
  const type: unknown = typeof json === 'object' && json !== null && 'type' in json ? json.type : undefined;
  const known = EVENT_TYPES.find((eventType) => eventType === type);
  if (!known) throw new Error(`Unknown event type ${String(type)}`);
  return v.parse(schemaFor(known), json) as UserEvent;
}
