import * as v from 'valibot';
import { maxCharacters } from '../characters';
import { isReservedName } from '../config/values';
import { DomainError } from '../errors';
import { exactly } from '../exactly';
import { OWN_PART } from '../exports/export-case';
import { Email } from '../users/fields';

const DAY_SECONDS = 24 * 60 * 60;
/** GDPR, article 12 (3): without undue delay, within a month. */
const DEFAULT_DEADLINE = 30 * DAY_SECONDS;
/** AMQP 0-9-1: a short string. */
const MAX_QUEUE_BYTES = 255;

/** Distinguishes a holder's key from an access token, and lets secret scanners find it. */
export const HOLDER_KEY_PREFIX = 'rollcall_holder_';

/** A service that holds copies of users' data. */
export interface DataHolder {
  name: string;
  /** The mailbox that is told of overdue answers. */
  contact: string | null;
  /** From a request to the answer that it expects. */
  deadlineSeconds: number;
  /** The queue to which a request is sent again; null: nobody can send it again. */
  queue: string | null;
  /** Whether it has a key for answers by HTTP. Without one, it answers by AMQP. */
  hasKey: boolean;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** What clients set. */
export interface HolderSettings {
  contact: string | null;
  deadlineSeconds: number;
  queue: string | null;
}

export const HolderName = v.pipe(
  v.string(),
  // Beside theirs, an export has this service's own part.
  v.notValue(OWN_PART, 'is the name of this service itself'),
  v.regex(
    /^[a-z][a-z0-9_-]{0,63}$/,
    'must be 1 to 64 lower-case letters, digits, "_" or "-", and start with a letter',
  ),
);

/** The settings in a request. Omitted ones have their defaults. */
export const HolderSettingsBody = exactly({
  contact: v.optional(v.nullable(Email), null),
  deadlineSeconds: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.integer('must be whole seconds'),
      v.minValue(60, 'must be at least 60'),
      v.maxValue(365 * DAY_SECONDS, 'must be at most a year'),
    ),
    DEFAULT_DEADLINE,
  ),
  queue: v.optional(
    v.nullable(
      v.pipe(
        v.string('must be a string or null'),
        v.minLength(1, 'must not be empty; use null for none'),
        ...maxCharacters(MAX_QUEUE_BYTES),
        v.check(
          (name) => Buffer.byteLength(name) <= MAX_QUEUE_BYTES,
          `must have at most ${MAX_QUEUE_BYTES} bytes`,
        ),
        v.check(
          (name) => !isReservedName(name),
          'must not begin with amq., which the broker keeps for itself',
        ),
      ),
    ),
    null,
  ),
});

/** @throws DomainError `invalid_request`: the name in the path of a new holder is input, not the id of an unknown record */
export function assertHolderName(name: string): void {
  const { success, issues } = v.safeParse(HolderName, name);
  if (success) return;
  throw new DomainError('invalid_request', { errors: [{ path: 'name', message: issues[0].message }] });
}
