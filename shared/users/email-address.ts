import { domainToASCII, domainToUnicode } from 'node:url';
import { foldCase } from '../characters';

/** RFC 5321, section 4.1.2: a dot-string. Quoted strings are valid too, but no mail service offers them. */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
/** RFC 5321, section 4.5.3.1.1. */
const MAX_LOCAL_PART = 64;
/** RFC 3696, errata 1690: a path has at most 256 characters, including its angle brackets. */
export const MAX_ADDRESS = 254;
const LABEL = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;
/** RFC 3696, section 2: a top-level domain is not all-numeric; otherwise it would be an IP address. */
const TOP_LEVEL = /^(?=.*[A-Za-z]).{2,}$/;

const INTERNATIONAL = /[^\0-\x7f]|(^|\.)xn--/i;
/** Characters that the URL parser in `domainToASCII` treats as delimiters or decodes. */
const OTHER_ASCII = /[\0-,/:-@[-`{-\x7f]/;

/**
 * The form of an address that is stored and compared: an international domain as A-labels (RFC 5890), as mail servers
 * expect it. The rest stays as typed.
 */
export function storedAddress(address: string): string {
  const { local, domain } = split(address);
  // Punycode takes quadratic time, and login accepts addresses of any length.
  if (domain.length > MAX_ADDRESS) return address;
  if (local === '' || !INTERNATIONAL.test(domain) || OTHER_ASCII.test(domain)) return address;
  const ascii = domainToASCII(domain);
  return ascii === '' ? address : `${local}@${ascii}`;
}

/** An address for display: A-labels as U-labels, if these convert back to the same address. */
export function displayAddress(address: string): string {
  const { local, domain } = split(address);
  if (!INTERNATIONAL.test(domain)) return address;
  const shown = `${local}@${domainToUnicode(domain)}`;
  return foldCase(storedAddress(shown)) === foldCase(address) ? shown : address;
}

/** The key by which addresses are compared: the stored form, lower-case and trimmed. */
export function addressKey(address: string): string {
  return foldCase(storedAddress(address.trim()));
}

/** Compares addresses case-insensitively. */
export function isSameAddress(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return one === other;
  return addressKey(one) === addressKey(other);
}

/** Whether the stored form is a valid address of an Internet mail server (RFC 5321). */
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

/** Whether all A-labels are valid. Node.js 20 converts invalid ones to nothing, Node.js 24 leaves them unchanged. */
function isInternational(domain: string): boolean {
  const shown = domainToUnicode(domain);
  return !/(^|\.)xn--/i.test(shown) && domainToASCII(shown) === domain.toLowerCase();
}

function split(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}
