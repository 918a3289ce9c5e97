import { isIP } from 'node:net';
import * as v from 'valibot';
import { maxCharacters } from '../characters';

// Schemas that parse environment variables. `readConfig` removes empty variables before, so they count as missing.

/** Text for headers, names or log lines, which cannot contain a line break. */
const line = v.pipe(v.string(), v.regex(/^\P{Cc}*$/u, 'must be one line, without control characters'));

const visibleLine = v.pipe(line, v.regex(/\S/, 'must not be blank'));

export const text = (fallback: string) => v.optional(visibleLine, fallback);

/** A name that people read, with at most `max` characters. */
export const shortText = (fallback: string, max: number) =>
  v.optional(v.pipe(visibleLine, ...maxCharacters(max)), fallback);

/** Text that matches a pattern. @param what a description of valid values */
export const matching = (pattern: RegExp, what: string, fallback: string) =>
  v.optional(v.pipe(v.string(), v.regex(pattern, `must be ${what}`)), fallback);

const MAX_NAME_BYTES = 255;

/** Names that RabbitMQ reserves: clients cannot declare queues or exchanges with them. */
export const isReservedName = (name: string) => /^amq(\.|$)/.test(name);

/**
 * A name on the broker (AMQP 0-9-1: a short string) with room for suffixes of up to `room` bytes. RabbitMQ silently removes
 * line breaks from names.
 * @param existing a reserved name that is allowed, because every broker has it
 */
export const brokerName = (fallback: string, { room = 0, existing = '' } = {}) =>
  v.optional(
    v.pipe(
      line,
      v.check(
        (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES - room,
        `must have at most ${MAX_NAME_BYTES - room} bytes`,
      ),
      v.check(
        (name) => name === existing || !isReservedName(name),
        'must not begin with amq., which the broker keeps for itself',
      ),
    ),
    fallback,
  );

/** A whole number in a range. Stricter than `Number('')`, which is 0, and `parseInt('5x')`, which is 5. */
export const number = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );

export const integer = (fallback: number, min: number, max: number) =>
  v.optional(number(min, max), String(fallback));

export const flag = (fallback: boolean) =>
  v.optional(
    v.pipe(
      v.picklist(['true', 'false', '1', '0'], 'must be true or false'),
      v.transform((value) => value === 'true' || value === '1'),
    ),
    String(fallback) as 'true' | 'false',
  );

export const onOff = (fallback: 'on' | 'off') =>
  v.optional(
    v.pipe(
      v.picklist(['on', 'off'], 'must be on or off'),
      v.transform((value) => value === 'on'),
    ),
    fallback,
  );

/** The parts of a text that are separated by commas, without spaces around them and without empty ones. */
export const itemsOf = (value: string) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

export const list = <T>(item: v.GenericSchema<string, T>, fallback: string) =>
  v.optional(v.pipe(v.string(), v.transform(itemsOf), v.array(item)), fallback);

/** A number of uses per number of seconds, as `10/900`. */
export const rate = (fallback: `${number}/${number}`) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,8}\/[1-9]\d{0,8}$/, 'must be a number per seconds, such as 10/900'),
      v.transform((value) => {
        const [max = 0, seconds = 0] = value.split('/').map(Number);
        return { max, seconds };
      }),
    ),
    fallback,
  );

/** Parses the text with a function. The message of the error it throws is the problem with the variable. */
export const parsed = <T>(parse: (text: string) => T) =>
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        addIssue({ message: error instanceof Error ? error.message : 'is wrong' });
        return NEVER;
      }
    }),
  );

/** A network in CIDR notation, as `10.0.0.0/8` or `fd00::/8`. */
export const network = v.pipe(
  v.string(),
  v.check((value) => {
    const [address = '', prefix = '', ...rest] = value.split('/');
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    // isIP accepts addresses with a zone, which networks do not have.
    return rest.length === 0 && !address.includes('%') && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  }, 'must be a network such as 10.0.0.0/8'),
);

/** A network of trusted proxies. A /0 is rejected: it would let everybody forge their address. */
export const proxyNetwork = v.pipe(
  network,
  v.check((value) => Number(value.split('/')[1]) > 0, 'must be a network of proxies, not all addresses'),
);

const NO_PORT = 'must be a port number';

export const port = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, NO_PORT),
  v.transform(Number),
  v.minValue(1, NO_PORT),
  v.maxValue(65_535, NO_PORT),
);
