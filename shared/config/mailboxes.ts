/** Sender or recipient of an email (RFC 5322, section 3.4). The name may be empty. */
export interface Mailbox {
  name: string;
  address: string;
}

const EXAMPLE = 'such as Rollcall <no-reply@example.com>';
/** A dot-atom (RFC 5322, section 3.2.3), including non-ASCII letters (RFC 6531). */
const LOCAL_PART = /^[^\s"(),:;<>@[\]\\.]+(\.[^\s"(),:;<>@[\]\\.]+)*$/;
const DOMAIN =
  /^[\p{L}\p{M}\p{N}_]([\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?(\.[\p{L}\p{M}\p{N}_]([\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}_])?)*$/u;
const MAX_LOCAL_BYTES = 64;
const MAX_ADDRESS_BYTES = 254;

/**
 * Parses one mailbox. The name needs no quotes: everything before the angle brackets is the name, including commas, colons
 * and parentheses, which are special characters in a header. nodemailer quotes it when sending.
 * @throws Error describing a valid mailbox
 */
export function parseMailbox(text: string): Mailbox {
  const [, phrase = '', address = ''] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? [null, '', text.trim()];
  return { name: parseName(phrase.trim()), address: parseAddress(address.trim()) };
}

/** Parses mailboxes separated by commas, except inside quotes. @throws Error naming the position of the invalid one */
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
  // A line break would inject a header.
  if (/\p{Cc}/u.test(name)) throw new Error(`must be one line, ${EXAMPLE}`);
  if (quoted === undefined && /["\\]/.test(name))
    throw new Error('must have quotes around the whole name or none in it');
  if (/=\?.*\?=/.test(name)) throw new Error('must have a plain-text name, not an encoded one');
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
