import { createHmac } from 'node:crypto';
import type { Config } from '../config';
import { addressKey } from '../users/email-address';

/**
 * Keyed hashes of an address, which find the case when the erased person asks. One hash for each of `ENCRYPTION_KEYS`, the
 * current key first: a case stores the hash by the key that was current then. A plain hash could be reversed by trying
 * addresses.
 */
export function addressHashes({ factors }: Config, address: string): Buffer[] {
  return factors.encryptionKeys.map(({ key }) =>
    createHmac('sha256', key)
      .update(`erasure of ${addressKey(address)}`)
      .digest(),
  );
}
