import * as v from 'valibot';
import type { Report } from '../analytics/list-registrations';
import type { AuditEntry as AuditEntryType } from '../audit/audit-store';
import { POLLED_QUEUES } from '../broker/topology';
import type { ErasureCase } from '../erasure/case-store';
import type { DataHolder as DataHolderType } from '../erasure/data-holder';
import type { EventWithHistory as EventWithHistoryType } from '../event-log/get-event';
import { HISTORY_KINDS } from '../event-log/history-kinds';
import type { LoggedEvent } from '../event-log/logged-event';
import { EVENT_TYPES } from '../events/catalog';
import type { Export as ExportType } from '../exports/export-case';
import type { ExportDocument as ExportDocumentType } from '../exports/get-export';
import type { Health as HealthType } from '../ops/check-health';
import type { Queues } from '../ops/list-queues';
import type { CreationOptions } from '../passkeys/creation-options';
import type { Passkey as PasskeyType } from '../passkeys/passkey-store';
import type { RequestOptions } from '../passkeys/request-options';
import { PERMISSIONS } from '../roles/permissions';
import type { Role as RoleType } from '../roles/role';
import type { listSessions } from '../sessions/list-sessions';
import type {
  AccessToken as AccessTokenType,
  SessionTokens as SessionTokensType,
} from '../sessions/open-session';
import type { UserResponse } from '../users/user-response';
import type { WebhookWithSecret as WebhookWithSecretType } from '../webhooks/create-webhook';
import type { Delivery as DeliveryType, Webhook as WebhookType } from '../webhooks/webhook';

// Response bodies, each a named schema of the OpenAPI document. The types at the end compare them with the types that
// the flows return, and the tests validate every response against them. Requests are described by the schemas that parse
// them. Bundles do not contain this file: only `documentation` objects use it, which scripts/bundle.ts leaves out.

const Id = v.pipe(v.string(), v.uuid());
const Moment = v.pipe(v.string(), v.isoTimestamp(), v.description('UTC, with milliseconds'));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const NextCursor = v.pipe(
  v.nullable(v.string()),
  v.description('`cursor` of the next page; null on the last page'),
);

const Suspension = v.object({
  since: Moment,
  until: v.pipe(
    v.nullable(Moment),
    v.description('When it ends by itself; null: not before the user is restored'),
  ),
  reason: v.pipe(
    v.optional(v.nullable(v.string())),
    v.description('For callers with `users:read`, of other users'),
  ),
});

export const User = v.object({
  id: Id,
  username: v.string(),
  email: v.nullable(v.string()),
  emailVerified: v.boolean(),
  pendingEmail: v.pipe(
    v.nullable(v.string()),
    v.description('Becomes `email` when the user opens the link sent to it'),
  ),
  displayName: v.nullable(v.string()),
  metadata: v.pipe(v.record(v.string(), v.unknown()), v.description('Free-form data of the client')),
  role: v.string(),
  createdAt: Moment,
  updatedAt: Moment,
  version: v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Increases with every change')),
  suspension: v.pipe(v.nullable(Suspension), v.description('Null: the user may sign in')),
});

export const Me = v.object({
  ...User.entries,
  permissions: v.pipe(v.array(v.picklist(PERMISSIONS)), v.description("Those of the user's role")),
});

export const UserAnswer = v.object({ user: User });

export const UserList = v.object({ users: v.array(User), nextCursor: NextCursor });

const AccessToken = v.pipe(v.string(), v.description('A JWT for the header `Authorization: Bearer …`'));
const RefreshToken = v.pipe(v.string(), v.description('For `POST /refresh`; can be used once'));
const TokenType = v.literal('Bearer');
const ExpiresIn = v.pipe(v.number(), v.integer(), v.description('Seconds until the access token expires'));

export const SessionTokens = v.object({
  accessToken: AccessToken,
  refreshToken: RefreshToken,
  tokenType: TokenType,
  expiresIn: ExpiresIn,
});

export const NewAccessToken = v.object({
  accessToken: AccessToken,
  tokenType: TokenType,
  expiresIn: ExpiresIn,
});

export const LoggedIn = v.object({
  user: User,
  accessToken: AccessToken,
  refreshToken: RefreshToken,
  tokenType: TokenType,
  expiresIn: ExpiresIn,
});

export const SignInCode = v.object({
  code: v.pipe(v.string(), v.description('For `POST /login/exchange`, once, within 60 seconds')),
  returnTo: v.pipe(v.string(), v.description('Where to go with the code')),
});

export const Session = v.object({
  id: Id,
  createdAt: Moment,
  lastUsedAt: v.pipe(Moment, v.description('Time of the login or the last refresh')),
  expiresAt: Moment,
  address: v.nullable(v.string()),
  userAgent: v.nullable(v.string()),
  current: v.pipe(v.boolean(), v.description('Whether this request was made with this session')),
});

export const SessionList = v.object({ sessions: v.array(Session) });

export const RevokedSessions = v.object({ revoked: Count });

export const Accepted = v.object({ status: v.literal('accepted') });

export const CodeRequested = v.object({
  emailToken: v.pipe(v.string(), v.description('For `POST /login/email/verify`, with the code in the mail')),
  expiresIn: v.pipe(v.number(), v.integer(), v.description('Seconds until the code expires')),
});

export const LoggedOut = v.object({ status: v.literal('logout successful') });

export const Jwks = v.object({
  keys: v.array(v.looseObject({ kty: v.string(), kid: v.string(), alg: v.string(), use: v.literal('sig') })),
});

export const Role = v.object({
  name: v.string(),
  permissions: v.array(v.picklist(PERMISSIONS)),
  requiresFactor: v.pipe(v.boolean(), v.description('Whether its users need a second factor')),
});

export const FactorList = v.object({
  factors: v.array(
    v.object({
      id: Id,
      type: v.literal('totp'),
      createdAt: Moment,
      lastUsedAt: v.nullable(Moment),
    }),
  ),
  recoveryCodes: v.pipe(Count, v.description('How many recovery codes remain')),
});

export const NewTotp = v.object({
  factorId: Id,
  secret: v.pipe(v.string(), v.description('In base32, to type it in. Not shown again')),
  uri: v.pipe(v.string(), v.description('`otpauth://…`, for an authenticator app')),
  qrCode: v.pipe(v.string(), v.description('`uri` as a QR code: an SVG document')),
});

export const ConfirmedFactor = v.object({ factorId: Id });

export const RecoveryCodes = v.object({
  codes: v.pipe(v.array(v.string()), v.description('Each can be used once. Not shown again')),
});

export const Passkey = v.object({
  id: Id,
  credentialId: v.pipe(
    v.string(),
    v.description('In base64url, for `PublicKeyCredential.signalAllAcceptedCredentials`'),
  ),
  name: v.string(),
  createdAt: Moment,
  lastUsedAt: v.nullable(Moment),
  backedUp: v.pipe(v.boolean(), v.description('Whether it is in a keychain that several devices share')),
  suspectedCloneAt: v.pipe(
    v.nullable(Moment),
    v.description('When its signature counter last failed to rise, as it does if there is a copy of the key'),
  ),
});

export const PasskeyList = v.object({ passkeys: v.array(Passkey) });

const PublicKeyType = v.literal('public-key');
const Challenge = v.pipe(v.string(), v.description('For one use within `timeout` milliseconds'));

export const PasskeyCreationOptions = v.object({
  options: v.pipe(
    v.object({
      rp: v.object({ id: v.string(), name: v.string() }),
      user: v.object({ id: v.string(), name: v.string(), displayName: v.string() }),
      challenge: Challenge,
      pubKeyCredParams: v.array(v.object({ type: PublicKeyType, alg: v.pipe(v.number(), v.integer()) })),
      timeout: Count,
      excludeCredentials: v.array(
        v.object({ type: PublicKeyType, id: v.string(), transports: v.array(v.string()) }),
      ),
      authenticatorSelection: v.object({
        residentKey: v.literal('required'),
        requireResidentKey: v.literal(true),
        userVerification: v.literal('required'),
      }),
      attestation: v.literal('none'),
    }),
    v.description('For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn level 3)'),
  ),
});

export const PasskeyRequestOptions = v.object({
  options: v.pipe(
    v.object({
      challenge: Challenge,
      timeout: Count,
      rpId: v.string(),
      allowCredentials: v.pipe(v.array(v.never()), v.description('Empty: the browser offers all')),
      userVerification: v.literal('required'),
    }),
    v.description('For `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn level 3)'),
  ),
});

export const RoleList = v.object({ roles: v.array(Role) });

const EventFields = {
  position: v.pipe(v.number(), v.integer(), v.description('Position in the event log')),
  id: Id,
  type: v.string(),
  subject: v.pipe(v.string(), v.uuid(), v.description('Id of the user')),
  sequence: v.pipe(v.string(), v.description('Sorts as text; increases with every event of a user')),
  time: Moment,
  data: v.record(v.string(), v.unknown()),
  status: v.pipe(v.picklist(['pending', 'published']), v.description('Whether the broker has it')),
  createdAt: Moment,
  publishedAt: v.nullable(Moment),
  attempts: Count,
  lastError: v.nullable(v.string()),
  handledAt: v.pipe(v.record(v.string(), Moment), v.description('When each consumer handled it')),
  consumers: v.pipe(
    v.record(v.string(), v.picklist(['waiting', 'handled', 'retrying', 'dead'])),
    v.description(
      'Its state at each consumer that receives its type. `retrying`: in a retry queue, because it failed or waits for an earlier event of its user',
    ),
  ),
};

export const Event = v.object(EventFields);

const HistoryEntry = v.object({
  at: Moment,
  kind: v.pipe(
    v.picklist(HISTORY_KINDS),
    v.description(
      '`waits`: behind an earlier event of its user. `redelivered`: sent to one queue again, by a redrive or a replay',
    ),
  ),
  consumer: v.exactOptional(v.string()),
  attempt: v.exactOptional(Count),
  error: v.exactOptional(v.string()),
  dueAt: v.exactOptional(v.pipe(v.string(), v.isoTimestamp(), v.description('Time of the next attempt'))),
  detail: v.exactOptional(v.record(v.string(), v.unknown())),
});

export const EventWithHistory = v.object({
  ...EventFields,
  event: v.pipe(
    v.looseObject({ specversion: v.string(), id: v.string(), type: v.string(), subject: v.string() }),
    v.description('The CloudEvent as it is sent'),
  ),
  origin: v.pipe(
    v.nullable(
      v.object({
        actorId: v.nullable(Id),
        address: v.nullable(v.string()),
        userAgent: v.nullable(v.string()),
        requestId: v.nullable(v.string()),
      }),
    ),
    v.description('Who made the change, and from where. Null without the permission `audit:read`'),
  ),
  traceId: v.nullable(v.string()),
  history: v.pipe(v.array(HistoryEntry), v.description('In the order of time')),
});

export const EventList = v.object({
  events: v.array(Event),
  nextCursor: v.pipe(
    v.nullable(v.string()),
    v.description(
      '`cursor` of the next page, or null on the last page; with `after`, always the next `after`',
    ),
  ),
});

export const QueueList = v.object({
  broker: v.pipe(
    v.picklist(['up', 'blocked', 'down']),
    v.description('`blocked`: a resource alarm stops the broker from accepting messages'),
  ),
  queues: v.pipe(
    v.nullable(
      v.array(
        v.object({
          name: v.string(),
          consumer: v.picklist(POLLED_QUEUES),
          ready: v.pipe(Count, v.description('Messages that are not delivered yet')),
          consumers: v.pipe(Count, v.description('Pollers; only one at a time is active')),
          retry: v.pipe(
            Count,
            v.description('Events of this consumer in retry queues; 10000 means 10000 or more'),
          ),
        }),
      ),
    ),
    v.description('Of the consumers, and of the dead letters on their way into the database'),
  ),
  retryQueues: v.pipe(
    v.nullable(v.array(v.object({ name: v.string(), delayMs: Count, ready: Count }))),
    v.description('Where failed events of all consumers wait for their next attempt'),
  ),
  deadLetters: v.pipe(Count, v.description('Stored dead letters; 10000 means 10000 or more')),
});

export const DeadLetter = v.object({
  id: Id,
  queue: v.pipe(v.string(), v.description('The queue it came from and is redriven to')),
  messageId: v.nullable(v.string()),
  eventId: v.pipe(v.nullable(Id), v.description("Id of `event`, or `messageId` if that may be an event's")),
  event: v.pipe(
    v.nullable(v.looseObject({ id: v.string(), type: v.string(), subject: v.string() })),
    v.description('Null if the message is not a known event'),
  ),
  body: v.pipe(v.nullable(v.string()), v.description('The message body as text, if it is not a known event')),
  error: v.string(),
  attempts: Count,
  failedAt: Moment,
});

export const DeadLetterList = v.object({ deadLetters: v.array(DeadLetter), nextCursor: NextCursor });

export const Redriven = v.object({ redriven: Count });

export const RedrivenEvent = v.object({
  redriven: Count,
  eventId: v.pipe(Id, v.description('Id of the event, for `GET /events/{id}`')),
});

export const Replay = v.object({
  id: Id,
  queue: v.string(),
  from: v.nullable(Moment),
  to: v.pipe(v.nullable(Moment), v.description('Exclusive')),
  types: v.pipe(v.nullable(v.array(v.string())), v.description('Null: all')),
  subject: v.nullable(Id),
  status: v.picklist(['running', 'finished']),
  dispatched: v.pipe(Count, v.description('Events handed to the relay so far')),
  sent: v.pipe(Count, v.description('Of these, the events that the broker has confirmed')),
  total: v.pipe(
    Count,
    v.description('All events of the replay. An upper bound until the event log has been read to its end'),
  ),
  totalIsExact: v.boolean(),
  requestedAt: Moment,
  finishedAt: v.nullable(Moment),
});

export const ReplayCount = v.object({
  count: v.pipe(Count, v.description('Events that the replay would send, counted up to 100,000')),
  isMore: v.pipe(
    v.boolean(),
    v.description('Whether there may be more: counting looks at 200,000 events of the range at most'),
  ),
});

export const ReplayList = v.object({ replays: v.array(Replay), nextCursor: NextCursor });

export const AuditEntry = v.object({
  eventId: v.pipe(
    v.string(),
    v.uuid(),
    v.description('Id of the event, or of the entry itself if it is not an event'),
  ),
  type: v.string(),
  subject: v.pipe(
    v.nullable(Id),
    v.description('The user, webhook or dead letter that was changed, or null'),
  ),
  actor: v.pipe(v.nullable(Id), v.description('The user who did it; null for the service itself')),
  time: Moment,
  address: v.nullable(v.string()),
  userAgent: v.nullable(v.string()),
  requestId: v.nullable(v.string()),
  details: v.pipe(
    v.nullable(v.looseObject({})),
    v.description('Values `before` and `after`, or the input; never contains secrets or personal data'),
  ),
});

export const AuditEntryList = v.object({ entries: v.array(AuditEntry), nextCursor: NextCursor });

const COUNTS = {
  registrations: Count,
  verifications: v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Verified addresses')),
  logins: Count,
  deletions: Count,
};

export const RegistrationReport = v.object({
  interval: v.picklist(['hour', 'day']),
  from: Moment,
  to: v.pipe(v.string(), v.isoTimestamp(), v.description('Exclusive')),
  totals: v.object(COUNTS),
  buckets: v.pipe(
    v.array(v.object({ start: Moment, ...COUNTS })),
    v.description('Every hour or day of the range, including empty ones'),
  ),
});

export const EventsPerMinute = v.object({
  minutes: v.array(
    v.object({
      minute: v.pipe(v.string(), v.isoTimestamp(), v.description('Its beginning')),
      count: v.pipe(Count, v.description('Appended events; 10000 means 10000 or more')),
    }),
  ),
});

const WebhookFields = {
  id: Id,
  url: v.string(),
  eventTypes: v.array(v.picklist([...EVENT_TYPES, '*'])),
  description: v.nullable(v.string()),
  retryDelaysSeconds: v.pipe(
    v.nullable(v.array(v.pipe(v.number(), v.integer()))),
    v.description('Delay before each retry; null for the default schedule'),
  ),
  enabled: v.boolean(),
  disabledAt: v.nullable(Moment),
  disabledReason: v.pipe(
    v.nullable(v.picklist(['requested', 'gone', 'failing'])),
    v.description('`gone`: the endpoint responded with 410; `failing`: deliveries failed for too long'),
  ),
  failingSince: v.pipe(v.nullable(Moment), v.description('Time of the first failure since the last success')),
  previousSecretExpiresAt: v.pipe(
    v.nullable(Moment),
    v.description('Until then, messages are also signed with the previous secret'),
  ),
  createdAt: Moment,
  updatedAt: Moment,
  version: v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Increases with every change')),
};

export const Webhook = v.object(WebhookFields);

export const WebhookWithSecret = v.object({
  ...WebhookFields,
  secret: v.pipe(v.string(), v.description('Verifies signatures. Not shown again')),
});

export const WebhookList = v.object({ webhooks: v.array(Webhook), nextCursor: NextCursor });

export const Delivery = v.object({
  id: v.pipe(v.string(), v.uuid(), v.description("The event's id, which is the message's `webhook-id`")),
  type: v.string(),
  status: v.picklist(['pending', 'succeeded', 'failed']),
  attemptCount: Count,
  attempts: v.pipe(
    v.array(
      v.object({
        attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
        startedAt: Moment,
        durationMs: Count,
        responseStatus: v.pipe(v.nullable(v.number()), v.description('Null if there was no response')),
        response: v.pipe(v.nullable(v.string()), v.description('The beginning of the response body')),
        error: v.nullable(v.string()),
      }),
    ),
    v.description('The last ten attempts'),
  ),
  nextAttemptAt: v.pipe(v.nullable(Moment), v.description('Null if no attempt is scheduled')),
  createdAt: Moment,
  finishedAt: v.nullable(Moment),
});

export const DeliveryList = v.object({ deliveries: v.array(Delivery), nextCursor: NextCursor });

export const Rebuilding = v.object({
  from: v.pipe(v.string(), v.isoTimestamp(), v.description('Older counts stay as they are')),
  to: v.pipe(v.string(), v.isoTimestamp(), v.description('Exclusive')),
  replayId: v.pipe(Id, v.description('The replay that sends the events again')),
});

const TaskHealth = v.nullable(
  v.object({
    lastRunSeconds: v.pipe(
      v.nullable(Count),
      v.description('Seconds since the last run started; null if it never ran'),
    ),
    problem: v.pipe(v.nullable(v.string()), v.description('Why it does not work and what to do')),
  }),
);

export const Health = v.object({
  status: v.pipe(
    v.picklist(['ok', 'degraded', 'down']),
    v.description('`degraded`: users can register, but events are delayed; see `broker` and `problem`'),
  ),
  database: v.picklist(['up', 'down']),
  broker: v.pipe(
    v.picklist(['up', 'blocked', 'down']),
    v.description('`blocked`: a resource alarm stops the broker from accepting messages'),
  ),
  outbox: v.nullable(
    v.object({
      pending: v.pipe(Count, v.description('Unsent events; 10000 means 10000 or more')),
      oldestSeconds: v.pipe(v.number(), v.minValue(0)),
    }),
  ),
  relay: TaskHealth,
  poller: TaskHealth,
});

/** A holder's answer to an erasure. */
const Receipt = v.object({
  holder: v.string(),
  dueAt: Moment,
  isOverdue: v.boolean(),
  outcome: v.pipe(
    v.nullable(v.picklist(['erased', 'nothing_held'])),
    v.description('Null until it has answered'),
  ),
  receivedAt: v.nullable(Moment),
  receivedBy: v.nullable(v.picklist(['amqp', 'http', 'administrator'])),
  reminders: v.pipe(Count, v.description('How often it was asked again')),
  remindedAt: v.nullable(Moment),
});

export const Erasure = v.object({
  id: Id,
  userId: Id,
  requestedBy: v.picklist(['user', 'administrator']),
  openedAt: Moment,
  completedAt: v.pipe(v.nullable(Moment), v.description('Null while an answer is awaited')),
  isOverdue: v.boolean(),
  receipts: v.array(Receipt),
});

export const ErasureList = v.object({ erasures: v.array(Erasure), nextCursor: NextCursor });

export const ErasureLookup = v.object({ erasures: v.array(Erasure) });

/** A holder's answer to an export, without the data. */
const ExportReceipt = v.object({
  holder: v.string(),
  dueAt: Moment,
  isOverdue: v.boolean(),
  outcome: v.pipe(
    v.nullable(v.picklist(['exported', 'nothing_held'])),
    v.description('Null until it has answered'),
  ),
  receivedAt: v.nullable(Moment),
  receivedBy: v.nullable(v.picklist(['amqp', 'http', 'administrator'])),
});

export const Export = v.object({
  id: Id,
  userId: Id,
  requestedBy: v.picklist(['user', 'administrator']),
  state: v.pipe(
    v.picklist(['pending', 'ready', 'partial']),
    v.description(
      '`ready`: all data holders have answered. `partial`: those that have not are past their deadlines',
    ),
  ),
  openedAt: Moment,
  readyAt: v.pipe(v.nullable(Moment), v.description('When `user.export_ready` was appended')),
  expiresAt: v.pipe(v.nullable(Moment), v.description('From then on it is unknown; null until it is ready')),
  receipts: v.array(ExportReceipt),
});

export const ExportDocument = v.object({
  exportedAt: Moment,
  user: v.object({ id: Id, username: v.string() }),
  parts: v.pipe(
    v.record(v.string(), v.nullable(v.looseObject({}))),
    v.description(
      'By the name of the data holder, and `rollcall`: the data, `{ "url": … }` to get it from there, or null if nothing is held',
    ),
  ),
  missing: v.pipe(v.array(v.string()), v.description('Data holders that have not answered in time')),
});

export const DataHolder = v.object({
  name: v.string(),
  contact: v.nullable(v.string()),
  deadlineSeconds: v.pipe(v.number(), v.integer()),
  queue: v.pipe(v.nullable(v.string()), v.description('To which a request is sent again')),
  hasKey: v.pipe(v.boolean(), v.description('Whether it may answer by HTTP')),
  createdAt: Moment,
  updatedAt: Moment,
  version: v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Increases with every change')),
});

export const DataHolderWithKey = v.object({ ...DataHolder.entries, key: v.string() });

export const DataHolderList = v.object({ dataHolders: v.array(DataHolder) });

export const OpenApi = v.looseObject({ openapi: v.string() });

export const AsyncApi = v.looseObject({ asyncapi: v.string() });

export const Problem = v.pipe(
  v.object({
    type: v.pipe(v.string(), v.description('`urn:rollcall:error:<code>`')),
    title: v.string(),
    status: v.pipe(v.number(), v.integer()),
    detail: v.string(),
    code: v.pipe(v.string(), v.description('Stable; programs should rely on this')),
    requestId: v.pipe(v.nullable(v.string()), v.description('Identifies the request in the logs')),
    errors: v.optional(
      v.pipe(
        v.array(
          v.object({
            path: v.pipe(v.string(), v.description('For example `metadata.plan`; empty for the whole body')),
            message: v.string(),
          }),
        ),
        v.description('All problems with the input'),
      ),
    ),
    factorToken: v.optional(
      v.pipe(
        v.string(),
        v.description(
          'With `second_factor_required` at a login: for `POST /login/factor`, for 5 minutes and one login',
        ),
      ),
    ),
    factors: v.optional(
      v.pipe(
        v.array(v.picklist(['totp', 'recovery_code', 'passkey'])),
        v.description('With `second_factor_required` at a login: what the user can send'),
      ),
    ),
    until: v.optional(
      v.pipe(
        v.nullable(Moment),
        v.description(
          'With `user_suspended`: when the suspension ends; null: not before the user is restored',
        ),
      ),
    ),
  }),
  v.description('RFC 9457'),
);

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Holds<T extends true> = T;

/** Compiles only if the schemas describe exactly what the flows return. */
export type DescribedAsSent = [
  Holds<Same<v.InferOutput<typeof User>, UserResponse>>,
  Holds<Same<v.InferOutput<typeof SessionTokens>, SessionTokensType>>,
  Holds<Same<v.InferOutput<typeof NewAccessToken>, AccessTokenType>>,
  Holds<Same<v.InferOutput<typeof LoggedIn>, { user: UserResponse } & SessionTokensType>>,
  Holds<Same<v.InferOutput<typeof Session>[], Awaited<ReturnType<typeof listSessions>>>>,
  Holds<Same<v.InferOutput<typeof Role>, RoleType>>,
  Holds<Same<v.InferOutput<typeof Passkey>, PasskeyType>>,
  Holds<Same<v.InferOutput<typeof PasskeyCreationOptions>['options'], CreationOptions>>,
  Holds<Same<v.InferOutput<typeof PasskeyRequestOptions>['options'], RequestOptions>>,
  Holds<Same<v.InferOutput<typeof Event>, LoggedEvent>>,
  Holds<Same<v.InferOutput<typeof EventWithHistory>['history'], EventWithHistoryType['history']>>,
  Holds<Same<v.InferOutput<typeof AuditEntry>, AuditEntryType>>,
  Holds<Same<v.InferOutput<typeof RegistrationReport>, Report>>,
  Holds<Same<v.InferOutput<typeof Health>, HealthType>>,
  Holds<Same<v.InferOutput<typeof QueueList>, Queues>>,
  Holds<Same<v.InferOutput<typeof Erasure>, ErasureCase>>,
  Holds<Same<v.InferOutput<typeof Export>, ExportType>>,
  Holds<Same<v.InferOutput<typeof ExportDocument>, ExportDocumentType>>,
  Holds<Same<v.InferOutput<typeof DataHolder>, DataHolderType>>,
  Holds<Same<v.InferOutput<typeof Webhook>, WebhookType>>,
  Holds<Same<v.InferOutput<typeof WebhookWithSecret>, WebhookWithSecretType>>,
  Holds<Same<v.InferOutput<typeof Delivery>, DeliveryType>>,
];
