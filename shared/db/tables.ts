import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';

/** A time with a database default, optional in inserts. */
type DefaultedTime = ColumnType<Date, Date | undefined, Date>;
type JsonObject = Record<string, unknown>;

export interface UsersTable {
  id: string;
  username: string;
  email: string | null;
  email_verified: Generated<boolean>;
  pending_email: ColumnType<string | null, string | null | undefined, string | null>;
  display_name: string | null;
  metadata: JSONColumnType<JsonObject>;
  role: string;
  /** Increases with every change that is visible to clients. */
  version: Generated<number>;
  /** Counts events since the last change of `version`: logins, requested emails. */
  minor_version: Generated<number>;
  created_at: Date;
  updated_at: Date;
  /** Null: not suspended. */
  suspended_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  /** When the suspension ends by itself. */
  suspended_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
  suspension_reason: ColumnType<string | null, string | null | undefined, string | null>;
}

export interface PasswordsTable {
  user_id: string;
  hash: string;
}

export interface RolesTable {
  name: string;
  permissions: string[];
  /** Whether its users need a second factor. */
  requires_factor: Generated<boolean>;
}

export interface FactorsTable {
  id: string;
  user_id: string;
  type: 'totp';
  /** Sealed (shared/seal.ts) for this row's id. */
  secret: Buffer;
  created_at: Date;
  /** Null: the user has not yet proven to have it, and it counts for nothing. */
  confirmed_at: Date | null;
  /** The time step of the last code that was used (RFC 6238). */
  last_step: ColumnType<string | null, number | null | undefined, number | null>;
  last_used_at: Date | null;
}

export interface RecoveryCodesTable {
  user_id: string;
  /** SHA-256 of a code that has not been used. */
  hash: Buffer;
}

/** Logins with the right password that wait for a code. */
export interface FactorChallengesTable {
  /** SHA-256 of the `factorToken`. */
  hash: Buffer;
  user_id: string;
  /** SHA-256 of the hash of the user's password, of nothing without one: another password voids the challenge. */
  password_digest: Buffer;
  /** How the first factor was proven. */
  amr: string[];
  expires_at: Date;
}

export interface PasskeysTable {
  id: string;
  user_id: string;
  credential_id: Buffer;
  /** SubjectPublicKeyInfo (RFC 5280, section 4.1). */
  public_key: Buffer;
  /** The highest value of the authenticator's signature counter. */
  sign_count: ColumnType<string, number, number>;
  backup_eligible: boolean;
  backed_up: boolean;
  /** How browsers reach the authenticator, as they say it. */
  transports: string[];
  name: string;
  created_at: Date;
  last_used_at: ColumnType<Date | null, undefined, Date>;
  /** When the counter last failed to rise. */
  suspected_clone_at: ColumnType<Date | null, undefined, Date>;
}

export interface PasskeyChallengesTable {
  /** SHA-256 of the challenge. */
  hash: Buffer;
  /** Whose registration it is for; null for an authentication. */
  user_id: string | null;
  expires_at: Date;
}

/**
 * Requests for a code to sign in with. One for an address that no user has, or that has had too many mails, is stored like
 * any other and has no code that is right: whoever tries codes learns nothing of the address.
 */
export interface MailedCodesTable {
  /** SHA-256 of the `emailToken`. The code is derived from it, under a key that the database does not have. */
  hash: Buffer;
  /** How the event calls the request. */
  id: string;
  /** Null: no user has the address. */
  user_id: string | null;
  /** Keyed hash of the address: another one voids the code. Keyed, because it may be a stranger's. */
  address_hash: Buffer;
  /** Null until the code is mailed: until then, no code is right. */
  mailed_at: ColumnType<Date | null, undefined, Date>;
  tries: Generated<number>;
  expires_at: Date;
}

export interface SessionsTable {
  id: string;
  user_id: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  /** Time of the user's last authentication; null for sessions older than this column. */
  proven_at: Date | null;
  /** Authentication methods (RFC 8176). */
  amr: Generated<string[]>;
  /** Seed for deriving successors of refresh tokens; null until the first refresh. */
  rotation_seed: Buffer | null;
  address: string | null;
  user_agent: string | null;
}

export interface RefreshTokensTable {
  hash: Buffer;
  session_id: string;
  created_at: Date;
  used_at: Date | null;
}

/** Codes by which a hosted page hands its session to an app. */
export interface SignInCodesTable {
  /** SHA-256 of the code. */
  hash: Buffer;
  session_id: string;
  /** SHA-256 of the page's refresh token, which the exchange replaces. */
  token_hash: Buffer;
  /** The only URL that may exchange the code. */
  return_to: string;
  /** By S256 (RFC 7636). */
  code_challenge: string | null;
  expires_at: Date;
  /** When it was presented, rightly or wrongly. A second time ends the session. */
  used_at: Date | null;
}

export interface RateLimitsTable {
  key: Buffer;
  used: number;
  resets_at: Date;
}

export interface IdempotencyKeysTable {
  key: Buffer;
  fingerprint: Buffer;
  user_id: string;
  expires_at: Date;
}

export interface UserImportsTable {
  file_hash: Buffer;
  /** Bytes of the file that are imported. */
  position: ColumnType<string, number, number>;
  /** Lines that are imported. */
  lines: number;
  imported: number;
  skipped: number;
  bad: number;
  started_at: Date;
  finished_at: Date | null;
}

/** The log: what has happened. Only an erasure changes an event. */
export interface EventsTable {
  id: string;
  /** The order of appending. One user's events are appended under a lock on the user, so it is their order. */
  position: GeneratedAlways<string>;
  type: string;
  subject: string;
  sequence: string;
  time: Date;
  data: JSONColumnType<JsonObject>;
  traceparent: string | null;
  actor_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  created_at: DefaultedTime;
  /** Of events published before migration 0022, this and `attempts`; of later ones, see `PublicationsTable`. */
  published_at: ColumnType<Date | null, Date | undefined, Date>;
  attempts: Generated<number>;
}

/** What is still to be sent, to everyone or to one queue. A row is deleted when the broker has confirmed it. */
export interface DispatchTable {
  position: GeneratedAlways<string>;
  event_id: string;
  /** Null: to the exchange, and so to everyone. */
  queue: string | null;
  /** The replay that sends it again. */
  replay_id: string | null;
  subject: string;
  /** An edited dead letter brings its own; null: the event as it is in the log. */
  event: JSONColumnType<JsonObject> | null;
  created_at: DefaultedTime;
  due_at: DefaultedTime;
  /** A relay is at it. The claim runs out if the relay dies. */
  claimed_until: Date | null;
  attempts: Generated<number>;
  last_error: string | null;
}

/** When an event of the log was published, and at which attempt. */
export interface PublicationsTable {
  event_id: string;
  published_at: DefaultedTime;
  attempts: number;
}

/** What happened to an event beside being published and handled: see shared/event-history/. */
export interface EventHistoryTable {
  event_id: string;
  id: GeneratedAlways<string>;
  at: DefaultedTime;
  kind: string;
  consumer: string | null;
  /** Which attempt it was, of the consumer or of publishing. */
  attempt: number | null;
  error: string | null;
  /** Of the next attempt. */
  due_at: Date | null;
  detail: JSONColumnType<JsonObject> | null;
}

export interface ReplaysTable {
  id: string;
  queue: string;
  from_time: Date | null;
  to_time: Date | null;
  types: string[] | null;
  subject: string | null;
  /** Whether the consumer counts the events again. */
  recount: boolean;
  requested_at: DefaultedTime;
  /** Position of the last event that the replay has read. */
  position: Generated<string>;
  /** Position of the last event that the replay will read. */
  end_position: string;
  /** How many events it has added to `dispatch`, and how many of them were published. */
  dispatched: Generated<string>;
  sent: Generated<string>;
  finished_at: Date | null;
}

export interface InboxTable {
  event_id: string;
  consumer: string;
  handled_at: DefaultedTime;
}

export interface RetryingEventsTable {
  consumer: string;
  event_id: string;
  subject: string;
  sequence: string;
  /** When it leaves its retry queue. */
  due_at: Date;
}

export interface SuspectedEventsTable {
  consumer: string;
  event_id: string;
  /** It was tried alone, and the result of that call is unknown. */
  is_tried: boolean;
  noted_at: Generated<Date>;
}

export interface ConsumerSequencesTable {
  consumer: string;
  subject: string;
  /** Sequence of the newest handled event. */
  sequence: string;
}

export interface DeadLettersTable {
  id: string;
  /** Hash of queue, message id and body, so that a redelivered dead letter is stored once. */
  fingerprint: Buffer;
  queue: string;
  message_id: string | null;
  event: JSONColumnType<JsonObject> | null;
  /** The message body, if it is not an event. */
  body: Buffer | null;
  subject: string | null;
  error: string;
  attempts: number;
  failed_at: DefaultedTime;
  /** Of `event`, or else `message_id`, if that may be an event's. */
  event_id: GeneratedAlways<string | null>;
}

export interface AuditLogTable {
  /** Id of the event, or of the entry itself if it is not an event. */
  event_id: string;
  type: string;
  subject: string | null;
  time: Date;
  actor_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: JSONColumnType<JsonObject> | null;
}

export interface EmailTokensTable {
  hash: Buffer;
  user_id: string;
  purpose: 'verify_email' | 'reset_password' | 'undo_email_change';
  address: string;
  /** SHA-256 of the password hash that a reset replaces; null for other purposes. */
  password_digest: Buffer | null;
  created_at: Date;
  expires_at: Date;
}

export interface FormerEmailsTable {
  user_id: string;
  address: string;
  /** The user's version that replaced the address. */
  version: number;
  restorable_until: Date;
  verified: Generated<boolean>;
}

export interface WelcomedUsersTable {
  user_id: string;
  welcomed_at: Date;
}

export interface AnalyticsHourlyTable {
  hour: Date;
  metric: string;
  count: string;
}

export interface WebhookEndpointsTable {
  id: string;
  url: string;
  event_types: string[];
  description: string | null;
  /** Null for the configured default. */
  retry_delays_seconds: number[] | null;
  secret: Buffer;
  previous_secret: Buffer | null;
  previous_secret_expires_at: Date | null;
  disabled_at: Date | null;
  disabled_reason: 'requested' | 'gone' | 'failing' | null;
  /** Time of the first failure since the last success. */
  failing_since: Date | null;
  /** Failures since the last success. */
  failures: Generated<number>;
  /** End of a pause that the endpoint requested (`Retry-After`). */
  paused_until: Date | null;
  version: Generated<number>;
  created_at: DefaultedTime;
  updated_at: DefaultedTime;
}

/** One attempt of a delivery. */
export interface DeliveryAttempt {
  attempt: number;
  startedAt: string;
  durationMs: number;
  /** Null if there was no response. */
  responseStatus: number | null;
  /** The beginning of the response body. */
  response: string | null;
  /** Why it failed. */
  error: string | null;
}

export interface WebhookDeliveriesTable {
  endpoint_id: string;
  event_id: string;
  type: string;
  status: Generated<'pending' | 'succeeded' | 'failed'>;
  /** Started attempts, including those of a sender that died. */
  attempts: Generated<number>;
  /** Attempts before the retry schedule was restarted. */
  attempts_before_schedule: Generated<number>;
  /** The last attempts, as the API returns them. */
  attempt_log: JSONColumnType<DeliveryAttempt[]>;
  next_attempt_at: DefaultedTime;
  /** Claimed by a sender until this time. */
  claimed_until: Date | null;
  created_at: DefaultedTime;
  finished_at: Date | null;
}

/** A service that holds copies of users' data. */
export interface DataHoldersTable {
  name: string;
  /** The mailbox that is told of overdue answers. */
  contact: string | null;
  deadline_seconds: number;
  /** The queue to which a request is sent again. */
  queue: string | null;
  /** SHA-256 of the key for answers by HTTP. */
  key_hash: Buffer | null;
  version: Generated<number>;
  created_at: Date;
  updated_at: Date;
}

export interface ErasureCasesTable {
  id: string;
  /** Of the user, who is gone. */
  user_id: string;
  /** Id and sequence of `user.erasure_requested`. */
  event_id: string;
  sequence: string;
  /** Keyed hash of the address; null without an address or a key. */
  address_hash: Buffer | null;
  requested_by: 'user' | 'administrator';
  opened_at: Date;
  completed_at: Date | null;
}

/** What each holder owes to a case, as it was registered when the case was opened. */
export interface ErasureReceiptsTable {
  case_id: string;
  holder: string;
  due_at: Date;
  outcome: 'erased' | 'nothing_held' | null;
  received_at: Date | null;
  received_by: 'amqp' | 'http' | 'administrator' | null;
  reminded_at: Date | null;
  reminders: Generated<number>;
}

/** A user's request for all data about them. */
export interface ExportCasesTable {
  id: string;
  user_id: string;
  requested_by: 'user' | 'administrator';
  opened_at: Date;
  /** When `user.export_ready` was appended; null while answers are awaited. */
  ready_at: Date | null;
  /** Null until it is ready. */
  expires_at: Date | null;
}

/** What each holder owes to an export, as it was registered when the case was opened, and this service's own part. */
export interface ExportReceiptsTable {
  case_id: string;
  holder: string;
  due_at: Date;
  outcome: 'exported' | 'nothing_held' | null;
  received_at: Date | null;
  received_by: 'amqp' | 'http' | 'administrator' | null;
  /** JSON, sealed (shared/seal.ts) for this case and holder. */
  part: Buffer | null;
}

export interface EventLogStartTable {
  single: boolean;
  /** Time of the latest purged event; null if none was purged. */
  purged_until: Date | null;
}

export interface TaskRunsTable {
  task: string;
  started_at: Date;
  problem: string | null;
  problem_at: Date | null;
}

export interface Tables {
  users: UsersTable;
  passwords: PasswordsTable;
  roles: RolesTable;
  factors: FactorsTable;
  recovery_codes: RecoveryCodesTable;
  factor_challenges: FactorChallengesTable;
  passkeys: PasskeysTable;
  passkey_challenges: PasskeyChallengesTable;
  mailed_codes: MailedCodesTable;
  sessions: SessionsTable;
  refresh_tokens: RefreshTokensTable;
  sign_in_codes: SignInCodesTable;
  rate_limits: RateLimitsTable;
  idempotency_keys: IdempotencyKeysTable;
  user_imports: UserImportsTable;
  events: EventsTable;
  dispatch: DispatchTable;
  publications: PublicationsTable;
  event_history: EventHistoryTable;
  replays: ReplaysTable;
  inbox: InboxTable;
  retrying_events: RetryingEventsTable;
  suspected_events: SuspectedEventsTable;
  consumer_sequences: ConsumerSequencesTable;
  dead_letters: DeadLettersTable;
  audit_log: AuditLogTable;
  email_tokens: EmailTokensTable;
  former_emails: FormerEmailsTable;
  welcomed_users: WelcomedUsersTable;
  analytics_hourly: AnalyticsHourlyTable;
  webhook_endpoints: WebhookEndpointsTable;
  webhook_deliveries: WebhookDeliveriesTable;
  data_holders: DataHoldersTable;
  erasure_cases: ErasureCasesTable;
  erasure_receipts: ErasureReceiptsTable;
  export_cases: ExportCasesTable;
  export_receipts: ExportReceiptsTable;
  event_log_start: EventLogStartTable;
  task_runs: TaskRunsTable;
}
