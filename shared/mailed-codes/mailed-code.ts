import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from '../context/context';
import { addressKey } from '../users/email-address';

const DIGITS = 6;
/** As many bytes as a number holds exactly: reduced to six digits, they favor none by more than one in 280 million. */
const BYTES = 6;

/**
 * The code of a request. It is derived, not stored: an event that is delivered again mails the same code and voids none,
 * and neither the database nor the event log is enough to know it. The random bits are those of the `emailToken`.
 * @param tokenHash of the request's `emailToken`
 */
export function codeOf({ config }: Context, tokenHash: Buffer): string {
  const digest = createHmac('sha256', config.mailedCodes.secret).update('code\0').update(tokenHash).digest();
  return String(digest.readUIntBE(0, BYTES) % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** Compares in a time that does not depend on where the two differ. Spaces are ignored. */
export function isCode(ctx: Context, tokenHash: Buffer, typed: string): boolean {
  const expected = Buffer.from(codeOf(ctx, tokenHash));
  const given = Buffer.from(typed.replace(/\s/g, ''));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The keyed hash under which an address is stored with a request. */
export function hashAddress({ config }: Context, address: string): Buffer {
  return createHmac('sha256', config.mailedCodes.secret)
    .update('address\0')
    .update(addressKey(address))
    .digest();
}
