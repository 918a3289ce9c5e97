import * as v from 'valibot';
import { maxCharacters } from '../characters';
import { EVENT_TYPES } from '../events/catalog';
import { exactly } from '../exactly';

const MAX_URL = 2048;
const MAX_RETRIES = 20;
const WEEK_SECONDS = 7 * 24 * 60 * 60;

export const WebhookId = v.pipe(v.string(), v.uuid());

/** `assertUrlAllowed` checks the rules that depend on the configuration. */
const WebhookUrl = v.pipe(
  v.string('must be a string'),
  ...maxCharacters(MAX_URL),
  v.check((value) => URL.canParse(value), 'must be a URL'),
);

const EventTypes = v.pipe(
  v.array(v.picklist([...EVENT_TYPES, '*'], 'must be an event type, or * for all'), 'must be a list'),
  v.minLength(1, 'must have at least one; use ["*"] for all'),
  v.maxLength(100, 'must have at most 100'),
);

const Description = v.nullable(
  v.pipe(
    v.string('must be a string or null'),
    v.trim(),
    v.minLength(1, 'must not be empty; use null for none'),
    ...maxCharacters(200),
  ),
);

const RetryDelays = v.nullable(
  v.pipe(
    v.array(
      v.pipe(
        v.number('must be a number'),
        v.integer('must be whole seconds'),
        v.minValue(1, 'must be at least 1'),
        v.maxValue(WEEK_SECONDS, 'must be at most a week'),
      ),
      'must be a list or null',
    ),
    v.maxLength(MAX_RETRIES, `must have at most ${MAX_RETRIES}`),
  ),
);

export const NewWebhook = exactly({
  url: WebhookUrl,
  eventTypes: EventTypes,
  description: v.optional(Description, null),
  retryDelaysSeconds: v.optional(RetryDelays, null),
  enabled: v.optional(v.boolean('must be true or false'), true),
});

/** Omitted fields keep their values. */
export const WebhookChange = exactly({
  url: v.exactOptional(WebhookUrl),
  eventTypes: v.exactOptional(EventTypes),
  description: v.exactOptional(Description),
  retryDelaysSeconds: v.exactOptional(RetryDelays),
  enabled: v.exactOptional(v.boolean('must be true or false')),
});
