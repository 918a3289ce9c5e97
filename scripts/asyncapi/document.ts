import { version } from '../../package.json';
import { CONSUMER_NAMES, CONSUMERS, type Consumer } from '../../shared/broker/topology';
import { EVENT_TYPES, type EventType } from '../../shared/events/catalog';
import { currentSchemas } from './event-schemas';
import { exampleOf } from './example';
import { RECEIPT_NAMES, RECEIPTS, type ReceiptName } from './receipts';

const EXCHANGE = 'user_events';
const QUEUE_PREFIX = 'rollcall';
const BINDING_VERSION = '0.3.0';

const DESCRIPTION = `Rollcall publishes an event for every change, if and only if the change was committed.

- Bind your own queue to the topic exchange \`${EXCHANGE}\`, by the types that you need, or by \`user.*\` or \`#\`.
- A message is a CloudEvent (1.0, structured mode). It may arrive more than once, with the same \`id\`, which is also the
  \`messageId\`. One user's events arrive in order, and \`sequence\` rises as text.
- Ignore unknown fields: a type may gain fields, but never loses or changes one. A breaking change is a new type, such as
  \`user.created.v2\`.
- Each type's JSON Schema is in \`docs/events/schemas\`.
- Services that hold copies of users' data answer to \`user.erasure_requested\` and \`user.export_requested\` in the queue
  \`${QUEUE_PREFIX}.receipts\`.

Exchange and queues have their default names here; \`EVENT_EXCHANGE\` and \`QUEUE_PREFIX\` change them.`;

const SUMMARIES: Record<EventType, string> = {
  'user.created': 'A user has registered, was created by an administrator, or was imported',
  'user.updated': 'Fields of a user have changed, with the values before and after',
  'user.deleted': 'A user was deleted; earlier events no longer identify them',
  'user.erasure_requested':
    'A deleted user has to be erased everywhere: erase what you hold, and answer with a receipt',
  'user.erasure_completed': 'All services that hold data have confirmed the erasure',
  'user.export_requested':
    'A user has asked for all data about them: answer to the receipts with what you hold of the subject',
  'user.export_ready':
    'The data can be downloaded; all have answered, or the others are past their deadlines',
  'user.email_verified': 'The user has verified the e-mail address',
  'user.email_change_requested': 'The user has requested another e-mail address and has not verified it yet',
  'user.email_changed': 'The e-mail address has changed',
  'user.password_changed': 'The password was changed or reset',
  'user.password_removed': 'The user has no password any more',
  'user.suspended': 'The user may not sign in, until a time or until they are restored',
  'user.restored': 'The user may sign in again: the suspension was lifted or has ended',
  'user.role_changed': 'The role has changed',
  'user.factor_added': 'The user has set up a second factor',
  'user.factor_removed': 'A second factor was removed, by the user or for them',
  'user.passkey_added': 'The user has registered a passkey',
  'user.passkey_removed': 'A passkey was removed, by the user or for them',
  'user.recovery_codes_created': 'The user has new recovery codes, and earlier ones no longer work',
  'user.recovery_code_used': 'The user has used a recovery code, with how many remain',
  'user.verification_requested': 'Another verification mail was requested',
  'user.password_reset_requested': 'A password reset mail was requested',
  'user.login_code_requested': 'A code to sign in with was requested by mail',
  'session.created': 'A user has logged in',
  'session.elevated': 'A user has proven again who they are, in the same session, with the methods',
  'session.revoked': 'A session was ended before it expired, with the reason',
  'session.reuse_detected': 'A refresh token was reused, which is treated as theft and ends its session',
  'webhook.disabled': 'Rollcall has disabled an endpoint that kept failing, or that answered 410',
};

const RECEIPTS_QUEUE = `${QUEUE_PREFIX}.receipts`;

const ref = (...path: string[]) => ({ $ref: `#/${path.join('/')}` });
const byName = <Name extends string, T>(names: Name[], make: (name: Name) => T) =>
  Object.fromEntries(names.map((name) => [name, make(name)]));

/**
 * The AsyncAPI document, derived from the catalog and the topology. It has a channel per routing key of the exchange, to
 * which Rollcall publishes, and one per queue, which it reads: those of its consumers, and the one of receipts.
 */
export function asyncapiDocument() {
  const schemas = currentSchemas();
  const readers = CONSUMER_NAMES.filter((consumer) => typesFor(consumer).length > 0);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Rollcall events', version, description: DESCRIPTION, license: { name: 'MIT' } },
    defaultContentType: 'application/cloudevents+json',
    servers: {
      broker: {
        host: '{host}',
        protocol: 'amqp',
        protocolVersion: '0.9.1',
        description: 'The broker of `RABBITMQ_URL`, with TLS if it begins with `amqps:`',
        variables: { host: { default: 'localhost:5672' } },
      },
    },
    channels: {
      ...byName(EVENT_TYPES, (type) => ({
        address: type,
        description: SUMMARIES[type],
        messages: { [type]: ref('components', 'messages', type) },
        bindings: { amqp: exchangeBinding() },
      })),
      ...Object.fromEntries(readers.map((consumer) => [queueOf(consumer), queueChannel(consumer)])),
      [RECEIPTS_QUEUE]: {
        address: RECEIPTS_QUEUE,
        description:
          'Receipts of data holders. Publish persistent messages to the default exchange, with this routing key',
        messages: byName(RECEIPT_NAMES, (name) => ref('components', 'messages', name)),
        bindings: { amqp: queueBinding(RECEIPTS_QUEUE) },
      },
    },
    operations: {
      ...Object.fromEntries(EVENT_TYPES.map((type) => [`send.${type}`, sendOperation(type)])),
      ...Object.fromEntries(
        readers.map((consumer) => [
          `receive.${consumer}`,
          {
            action: 'receive',
            channel: ref('channels', queueOf(consumer)),
            summary: `The consumer \`${consumer}\``,
            bindings: { amqp: { ack: true, bindingVersion: BINDING_VERSION } },
          },
        ]),
      ),
      'receive.receipts': {
        action: 'receive',
        channel: ref('channels', RECEIPTS_QUEUE),
        summary: 'Rollcall records what data holders answer to erasures and exports',
        bindings: { amqp: { ack: true, bindingVersion: BINDING_VERSION } },
      },
    },
    components: {
      messages: {
        ...byName(EVENT_TYPES, (type) => messageOf(type, exampleOf(schemas.get(type)))),
        ...byName(RECEIPT_NAMES, receiptMessage),
      },
      schemas: {
        ...byName(EVENT_TYPES, (type) => {
          const { $schema, $id, ...schema } = schemas.get(type) ?? {};
          return schema;
        }),
        ...byName(RECEIPT_NAMES, (name) => RECEIPTS[name].schema),
      },
    },
  };
}

function exchangeBinding() {
  return {
    is: 'routingKey',
    exchange: { name: EXCHANGE, type: 'topic', durable: true, autoDelete: false },
    bindingVersion: BINDING_VERSION,
  };
}

function queueChannel(consumer: Consumer) {
  return {
    address: queueOf(consumer),
    description: `Read by the consumer \`${consumer}\`; bound by ${CONSUMERS[consumer].map((pattern) => `\`${pattern}\``).join(', ')}`,
    messages: byName(typesFor(consumer), (type) => ref('components', 'messages', type)),
    bindings: { amqp: queueBinding(queueOf(consumer)) },
  };
}

function queueBinding(name: string) {
  return {
    is: 'queue',
    queue: { name, durable: true, exclusive: false, autoDelete: false },
    bindingVersion: BINDING_VERSION,
  };
}

function receiptMessage(name: ReceiptName) {
  const { summary, example } = RECEIPTS[name];
  return {
    name,
    title: name,
    summary,
    contentType: 'application/json',
    payload: ref('components', 'schemas', name),
    examples: [{ payload: example }],
  };
}

function sendOperation(type: EventType) {
  return {
    action: 'send',
    channel: ref('channels', type),
    summary: SUMMARIES[type],
    bindings: {
      amqp: { deliveryMode: 2, mandatory: true, timestamp: true, bindingVersion: BINDING_VERSION },
    },
  };
}

function messageOf(type: EventType, payload: unknown) {
  return {
    name: type,
    title: type,
    summary: SUMMARIES[type],
    contentType: 'application/cloudevents+json',
    headers: {
      type: 'object',
      properties: {
        traceparent: {
          type: 'string',
          description: 'W3C Trace Context of the request that caused the event',
        },
      },
    },
    payload: ref('components', 'schemas', type),
    bindings: { amqp: { messageType: type, bindingVersion: BINDING_VERSION } },
    examples: [{ payload }],
  };
}

function queueOf(consumer: Consumer): string {
  return `${QUEUE_PREFIX}.${consumer}`;
}

function typesFor(consumer: Consumer): EventType[] {
  return EVENT_TYPES.filter((type) => CONSUMERS[consumer].some((pattern) => matches(pattern, type)));
}

/** A pattern of a topic exchange: `*` is one word, `#` any number of them. */
export function matches(pattern: string, routingKey: string): boolean {
  const match = ([first, ...patterns]: string[], words: string[]): boolean => {
    if (first === undefined) return words.length === 0;
    if (first === '#') return words.some((_, i) => match(patterns, words.slice(i))) || match(patterns, []);
    const [word, ...rest] = words;
    return word !== undefined && (first === '*' || first === word) && match(patterns, rest);
  };
  return match(pattern.split('.'), routingKey.split('.'));
}
