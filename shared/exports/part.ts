import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { open, seal } from '../seal';
import type { JsonObject } from './export-case';

/** @throws DomainError `unavailable` without `ENCRYPTION_KEYS`: nobody's data is collected in plain */
export function assertCanSeal({ config }: Context): void {
  if (config.factors.encryptionKeys.length > 0) return;
  throw unavailable('Data cannot be exported: this service has no ENCRYPTION_KEYS, which seal it');
}

/** Seals what a holder has of a user, for one export. @throws DomainError as `assertCanSeal` does */
export function sealPart(ctx: Context, exportId: string, holder: string, part: JsonObject): Buffer {
  assertCanSeal(ctx);
  return seal(ctx.config.factors.encryptionKeys, Buffer.from(JSON.stringify(part)), owner(exportId, holder));
}

/** @throws DomainError `unavailable` if `ENCRYPTION_KEYS` lacks the key, or the row was altered */
export function openPart(ctx: Context, exportId: string, holder: string, sealed: Buffer): JsonObject {
  try {
    const { plain } = open(ctx.config.factors.encryptionKeys, sealed, owner(exportId, holder));
    return JSON.parse(plain.toString('utf8'));
  } catch (error) {
    throw unavailable('The export cannot be opened', error);
  }
}

const owner = (exportId: string, holder: string) => `export ${exportId} ${holder}`;

/** The cause is logged; it names the variable. */
function unavailable(detail: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', { detail, headers: { 'retry-after': '60' } }, { cause });
}
