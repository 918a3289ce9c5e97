import { MAX_EXPORT_BYTES, MAX_PART_BYTES } from '../exports/export-case';
import type { Refusal } from './record-receipt';

/** The message for each refusal: in the HTTP response, or as the error of the dead letter. */
export const REFUSALS: Record<Refusal, string> = {
  unknown: 'There is no such case, or it does not await this data holder',
  unfitting:
    'The outcome does not fit: an erasure takes erased or nothing_held, an export exported or nothing_held',
  too_large: `An answer is limited to ${MAX_PART_BYTES} bytes, and a whole export to ${MAX_EXPORT_BYTES}: send a url instead`,
};
