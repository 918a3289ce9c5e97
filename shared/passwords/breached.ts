import { createHash } from 'node:crypto';
import type { PlainContext } from '../context/plain-context';
import { DomainError } from '../errors';
import { preparePassword } from './hash';
import { readRange } from './range-file';

/** What of a SHA-1 in hexadecimal names its range: the service never sees more of it. */
const PREFIX = 5;
const TIMEOUT_MS = 1_500;

export const BREACHED = 'must not be a password that is known from a data breach';

/** Refuses a password that `isBreached`. @throws DomainError `invalid_request` about the field that has it */
export async function assertNotBreached(ctx: PlainContext, path: string, password: string): Promise<void> {
  if (!(await isBreached(ctx, password))) return;
  throw new DomainError('invalid_request', { errors: [{ path, message: BREACHED }] });
}

/**
 * Whether a password is known from a data breach, where `BREACHED_PASSWORDS` says where to look. Where that cannot be
 * asked, no password is, with a line in the log: an outage elsewhere must not stop registrations.
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
    ctx.log.warn('A new password was not looked up among the breached ones: see BREACHED_PASSWORDS', {
      reason,
    });
    return false;
  }
  return holds(range, suffix);
}

/** @throws Error where the service does not answer in time, or with anything but the range */
async function fetchRange(source: string, prefix: string): Promise<string> {
  const response = await fetch(`${source.replace(/\/*$/, '/')}${prefix}`, {
    // Padding hides from whoever sees the size of the answer which range it was.
    headers: { 'add-padding': 'true', 'user-agent': 'rollcall' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`It answered ${response.status}`);
  return response.text();
}

/** A line is the rest of a hash and how often it was seen; 0 is padding. */
function holds(range: string, suffix: string): boolean {
  return range.split(/\r?\n/).some((line) => {
    const [rest = '', count = ''] = line.split(':');
    return rest.toUpperCase() === suffix && Number(count) !== 0;
  });
}
