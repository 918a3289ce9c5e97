import { createHmac } from 'node:crypto';
import type { Config } from '../config';
import { addressKey } from '../users/email-address';

/**
 * Keyed hashes of an address, by which a case is found when its person asks. By each of `ENCRYPTION_KEYS`, the current one
 * first: a case was hashed by the one that was current then. A plain hash would not do: addresses are few enough to try.
 */
export function addressHashes({ factors }: Config, address: string): Buffer[] {
  return factors.encryptionKeys.map(({ key }) =>
    createHmac('sha256', key)
      .update(`erasure of ${addressKey(address)}`)
      .digest(),
  );
}
