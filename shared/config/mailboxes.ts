/** Who a mail is from or to (RFC 5322, section 3.4: a mailbox). The name may be empty. */
export interface Mailbox {
  name: string;
  address: string;
}

const EXAMPLE = 'such as Rollcall <no-reply@example.com>';
/** A dot-atom (RFC 5322, section 3.2.3), also of letters beyond ASCII (RFC 6531). */
const LOCAL_PART = /^[^\s"(),:;<>@[\]\\.]+(\.[^\s"(),:;<>@[\]\\.]+)*$/;
const DOMAIN =
  /^[\p{L}\p{M}\p{N}_]([\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?(\.[\p{L}\p{M}\p{N}_]([\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?)*$/u;
const MAX_LOCAL_BYTES = 64;
const MAX_ADDRESS_BYTES = 254;

/**
 * One mailbox, as people write it. The name needs no quotes: all before the address in angle brackets is the name, also
 * where it has a comma, a colon or parentheses, which would mean something else in a header. Who sends the mail quotes.
 * @throws Error with what it must be
 */
export function parseMailbox(text: string): Mailbox {
  const [, phrase = '', address = ''] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? [null, '', text.trim()];
  return { name: parseName(phrase.trim()), address: parseAddress(address.trim()) };
}

/** Several, separated by commas. A comma inside quotes belongs to the name. @throws Error as above, with its number */
export function parseMailboxes(text: string): Mailbox[] {
  const parts = text.match(/("(\\.|[^"\\])*"|[^,])+/g) ?? [];
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part, index) => {
      try {
        return parseMailbox(part);
      } catch (error) {
        throw new Error(
          `${error instanceof Error ? error.message : error} (number ${index + 1} of the list)`,
        );
      }
    });
}

function parseName(phrase: string): string {
  const quoted = /^"((?:\\.|[^"\\])*)"$/.exec(phrase)?.[1];
  const name = quoted === undefined ? phrase : quoted.replace(/\\(.)/g, '$1');
  // A line break would begin another header.
  if (/\p{Cc}/u.test(name)) throw new Error(`must be one line, ${EXAMPLE}`);
  if (quoted === undefined && /["\\]/.test(name))
    throw new Error('must have quotes around the whole name or nowhere in it');
  if (/=\?.*\?=/.test(name))
    throw new Error('must have its name as plain text, which is encoded when it is sent');
  return name;
}

function parseAddress(address: string): string {
  const [local = '', domain = '', ...more] = address.split('@');
  const valid =
    more.length === 0 &&
    LOCAL_PART.test(local) &&
    DOMAIN.test(domain) &&
    Buffer.byteLength(local) <= MAX_LOCAL_BYTES &&
    Buffer.byteLength(address) <= MAX_ADDRESS_BYTES;
  if (!valid) throw new Error(`must be one address, ${EXAMPLE}`);
  return address;
}
