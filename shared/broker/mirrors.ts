import type { Mirror, MirrorFormat } from '../config/mirrors';
import type { EventType, UserEvent } from '../events/catalog';
import { binding, type Declaration, exchange, queue } from './declare';
import type { OutgoingMessage } from './send';

/** The event types that the formats of other services support. */
type MirroredEvent = UserEvent<'user.created' | 'user.updated' | 'user.deleted'>;

interface Copy {
  /** AMQP's `type`: the format's own name for the event. */
  type: string;
  contentType: string;
  body: unknown;
}

const TYPED_NAMES = {
  'user.created': 'UserCreated',
  'user.updated': 'UserUpdated',
  'user.deleted': 'UserDeleted',
} as const satisfies Record<MirroredEvent['type'], string>;

const ENVELOPE_NAMES = {
  'user.created': 'user.registered',
  'user.updated': 'user.updated',
  'user.deleted': 'user.deleted',
} as const satisfies Record<MirroredEvent['type'], string>;

/** Lists every field, so that new fields of events are not published by accident. */
const COPIES: Record<Exclude<MirrorFormat, 'cloudevents'>, (event: MirroredEvent) => Copy> = {
  typed: (event) => ({
    type: TYPED_NAMES[event.type],
    contentType: 'application/json',
    body: {
      event_type: TYPED_NAMES[event.type],
      user_id: event.data.id,
      ...namesOf(event),
      timestamp: Date.parse(event.time) / 1000,
    },
  }),
  envelope: (event) => ({
    type: ENVELOPE_NAMES[event.type],
    contentType: 'application/json',
    body: {
      event: ENVELOPE_NAMES[event.type],
      data: {
        id: event.data.id,
        ...(event.type !== 'user.deleted' && { email: event.data.email, username: event.data.username }),
        ...(event.type === 'user.created' && { createdAt: event.data.createdAt }),
      },
      timestamp: event.time,
    },
  }),
  flat: (event) => ({
    type: event.type,
    contentType: 'application/json',
    body: { user_id: event.data.id, ...namesOf(event) },
  }),
};

function namesOf(event: MirroredEvent) {
  return event.type === 'user.deleted' ? {} : { username: event.data.username, email: event.data.email };
}

/** The copies to publish with an event, in the order of EVENT_MIRRORS. */
export function mirrorMessages(mirrors: readonly Mirror[], event: UserEvent): OutgoingMessage[] {
  return mirrors
    .filter((mirror) => mirror.types.includes(event.type))
    .map((mirror) => {
      const { type, contentType, body } = copyOf(mirror.format, event);
      return {
        exchange: mirror.exchange,
        routingKey: mirror.routingKey ?? event.type,
        body: Buffer.from(JSON.stringify(body)),
        properties: {
          messageId: event.id,
          type,
          appId: 'rollcall',
          contentType,
          timestamp: Math.floor(Date.parse(event.time) / 1000),
          headers: event.traceparent === undefined ? {} : { traceparent: event.traceparent },
          // A mirror with a queue of ours must be routed. Otherwise consumers declare their queues themselves, and events
          // do not wait until one is bound.
          mandatory: mirror.queue !== undefined,
        },
      };
    });
}

function copyOf(format: MirrorFormat, event: UserEvent): Copy {
  if (format === 'cloudevents') {
    return { type: event.type, contentType: 'application/cloudevents+json', body: event };
  }
  if (!isMirrored(event)) throw new Error(`The format ${format} does not support ${event.type}`);
  return COPIES[format](event);
}

function isMirrored(event: UserEvent): event is MirroredEvent {
  return event.type in TYPED_NAMES;
}

/** Without arguments, because the existing consumers declare them so; a different declaration would fail. */
export function mirrorExchanges(mirrors: readonly Mirror[]): Declaration[] {
  return mirrors.flatMap((mirror) =>
    mirror.exchange === '' ? [] : [exchange(mirror.exchange, mirror.exchangeType)],
  );
}

/** Exchanges, queues and bindings of the mirrors. */
export function* mirrorDeclarations(mirrors: readonly Mirror[]): Generator<Declaration> {
  yield* mirrorExchanges(mirrors);
  for (const mirror of mirrors) {
    if (mirror.queue === undefined) continue;
    yield queue(mirror.queue, {});
    if (mirror.exchange === '') continue;
    for (const key of bindingKeys(mirror.routingKey, mirror.types))
      yield binding(mirror.queue, mirror.exchange, key);
  }
}

function bindingKeys(routingKey: string | undefined, types: readonly EventType[]): readonly string[] {
  return routingKey === undefined ? types : [routingKey];
}
