import { domainToASCII, domainToUnicode } from 'node:url';
import { foldCase } from '../characters';

/** RFC 5321, section 4.1.2: a dot-string. Quoted ones are valid as well, and no mail service gives them out. */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** RFC 5321, section 4.5.3.1.1. */
const MAX_LOCAL_PART = 64;
/** RFC 3696, errata 1690: what fits into a path of 256 with its brackets. */
export const MAX_ADDRESS = 254;
const LABEL = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;
/** RFC 3696, section 2: a top-level domain is not all digits; one that is makes an IP address. */
const TOP_LEVEL = /^(?=.*[A-Za-z]).{2,}$/;

const INTERNATIONAL = /[^\0-\x7f]|(^|\.)xn--/i;
/** What the URL parser behind `domainToASCII` would take for a delimiter, or decode. */
const OTHER_ASCII = /[\0-,/:-@[-`{-\x7f]/;

/**
 * The one form of an address that is stored and compared: an international domain as its A-labels (RFC 5890), which is
 * what mail servers speak. The rest stays as it was typed.
 */
export function storedAddress(address: string): string {
  const { local, domain } = split(address);
  // Punycode takes time with the square of the length, and at login anyone may send any.
  if (domain.length > MAX_ADDRESS) return address;
  if (local === '' || !INTERNATIONAL.test(domain) || OTHER_ASCII.test(domain)) return address;
  const ascii = domainToASCII(domain);
  return ascii === '' ? address : `${local}@${ascii}`;
}

/** An address as people read it: a domain of A-labels as its U-labels, where these lead back to the same. */
export function shownAddress(address: string): string {
  const { local, domain } = split(address);
  if (!INTERNATIONAL.test(domain)) return address;
  const shown = `${local}@${domainToUnicode(domain)}`;
  return foldCase(storedAddress(shown)) === foldCase(address) ? shown : address;
}

/** What two addresses have in common where they are one: their stored form, without regard to case and outer spaces. */
export function addressKey(address: string): string {
  return foldCase(storedAddress(address.trim()));
}

/** Whether two addresses are one: letters' case makes no other address. */
export function isSameAddress(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return one === other;
  return addressKey(one) === addressKey(other);
}

/** Whether a mail server on the Internet could take it (RFC 5321), by its stored form. */
export function isMailAddress(address: string): boolean {
  const stored = storedAddress(address);
  const { local, domain } = split(stored);
  const labels = domain.split('.');
  return (
    stored.length <= MAX_ADDRESS &&
    local.length <= MAX_LOCAL_PART &&
    LOCAL_PART.test(local) &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    TOP_LEVEL.test(labels.at(-1) ?? '') &&
    (!INTERNATIONAL.test(domain) || isInternational(domain))
  );
}

/** Whether its A-labels stand for U-labels. Those that do not, Node.js 20 turns into nothing, and 24 leaves as they are. */
function isInternational(domain: string): boolean {
  const shown = domainToUnicode(domain);
  return !/(^|\.)xn--/i.test(shown) && domainToASCII(shown) === domain.toLowerCase();
}

function split(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}
