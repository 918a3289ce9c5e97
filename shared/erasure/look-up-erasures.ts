import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { addressHashes } from './address-hash';
import { type ErasureCase, listCases } from './case-store';

const MAX_FOUND = 100;

/** The cases of users who had this address, newest first. @throws DomainError `unavailable` without `ENCRYPTION_KEYS` */
export async function lookUpErasures(ctx: Context, address: string): Promise<ErasureCase[]> {
  const hashes = addressHashes(ctx.config, address);
  if (hashes.length === 0) {
    const detail = 'Addresses cannot be looked up: this service has no ENCRYPTION_KEYS, which hash them';
    throw new DomainError('unavailable', { detail, headers: { 'retry-after': '60' } });
  }
  return listCases(ctx.db, { addressHashes: hashes }, ctx.now(), MAX_FOUND);
}
