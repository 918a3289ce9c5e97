import { MAX_EXPORT_BYTES, MAX_PART_BYTES } from '../exports/export-case';
import type { Refusal } from './record-receipt';

/** What is said of each, to whoever has sent the receipt or finds it among the dead letters. */
export const REFUSALS: Record<Refusal, string> = {
  unknown: 'There is no such case, or it does not await this data holder',
  unfitting: 'An erasure is answered with erased, an export with exported; both with nothing_held',
  too_large: `An answer may have ${MAX_PART_BYTES} bytes, and all of an export ${MAX_EXPORT_BYTES}: answer with a url`,
};
