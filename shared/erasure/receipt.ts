import * as v from 'valibot';
import { exactly } from '../exactly';
import { HolderName } from './data-holder';

export const CaseId = v.pipe(v.string(), v.uuid());
const Outcome = v.picklist(['erased', 'nothing_held'], 'must be erased or nothing_held');

/** The body of a receipt by HTTP, where path and key say which case and whose it is. */
export const ReceiptBody = exactly({ outcome: Outcome, holder: v.optional(HolderName) });

/** A receipt by AMQP. Unknown members are ignored, as consumers of events ignore them. */
export const ReceiptMessage = v.object({ caseId: CaseId, holder: HolderName, outcome: Outcome });
