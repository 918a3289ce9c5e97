import { createHash } from 'node:crypto';
import type { PlainContext } from '../context/plain-context';
import { preparePassword } from './hash';
import { readRange } from './range-file';

/** Number of hexadecimal digits of the SHA-1 that are sent to the service (k-anonymity). */
const PREFIX = 5;
const TIMEOUT_MS = 1_500;

/**
 * Whether a password is in the list of breached passwords that `BREACHED_PASSWORDS` names. If the lookup fails, logs a
 * warning and accepts the password: an outage of that service must not stop registrations.
 */
export async function isBreached(ctx: PlainContext, password: string): Promise<boolean> {
  const source = ctx.config.passwords.breached;
  if (source === 'off') return false;
  const hash = createHash('sha1').update(preparePassword(password)).digest('hex').toUpperCase();
  const [prefix, suffix] = [hash.slice(0, PREFIX), hash.slice(PREFIX)];
  let range: string;
  try {
    range = /^https?:/.test(source) ? await fetchRange(source, prefix) : await readRange(source, prefix);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    ctx.log.warn('The lookup of a breached password failed: check BREACHED_PASSWORDS', {
      reason,
    });
    return false;
  }
  return includesHash(range, suffix);
}

/** @throws Error if the service does not respond in time or not with a range */
async function fetchRange(source: string, prefix: string): Promise<string> {
  const response = await fetch(`${source.replace(/\/*$/, '/')}${prefix}`, {
    // Padding hides the range from anyone who sees the size of the response.
    headers: { 'add-padding': 'true', 'user-agent': 'rollcall' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`The service responded with ${response.status}`);
  return response.text();
}

/** Each line is the rest of a hash and a count; a count of 0 is padding. */
function includesHash(range: string, suffix: string): boolean {
  return range.split(/\r?\n/).some((line) => {
    const [rest = '', count = ''] = line.split(':');
    return rest.toUpperCase() === suffix && Number(count) !== 0;
  });
}
