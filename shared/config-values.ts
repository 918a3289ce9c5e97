import { isIP } from 'node:net';
import * as v from 'valibot';

// How the text of an environment variable becomes a value. Empty ones are taken out before, so they are missing here.

export const text = (fallback: string) => v.optional(v.string(), fallback);

/** A whole number in a range. `Number('')` is 0 and `parseInt('5x')` is 5: neither is what anyone meant. */
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

export const list = <T>(item: v.GenericSchema<string, T>, fallback: string) =>
  v.optional(
    v.pipe(
      v.string(),
      v.transform((value) =>
        value
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean),
      ),
      v.array(item),
    ),
    fallback,
  );

export const url = (protocols: string[]) =>
  v.pipe(
    v.string(),
    v.check(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    ),
  );

/** So many in so many seconds, as `10/900`. */
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

/** What a function makes of the text; what it throws is the problem with the variable. */
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
/** Loose on purpose: whether a mailbox exists is for the mail server to say. */
export const mailbox = v.pipe(
  v.string(),
  v.regex(
    /^([^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/,
    'must be an address, such as Rollcall <no-reply@example.com>',
  ),
);

/** A network in CIDR notation, as `10.0.0.0/8` or `fd00::/8`. */
export const network = v.pipe(
  v.string(),
  v.check((value) => {
    const [address = '', prefix = '', ...rest] = value.split('/');
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  }, 'must be a network such as 10.0.0.0/8'),
);
