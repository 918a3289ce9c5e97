// Every hour: asks data holders again whose answers to erasures are overdue.
import { containerContext } from '../../shared/context/context';
import type { FollowUpReport } from '../../shared/erasure/follow-up-erasures';
import { measuredFollowUp } from '../../shared/ops/measured-runs';

/** Less than the function's time-out. */
const BUDGET_MS = 50_000;

export function handler(): Promise<FollowUpReport> {
  return measuredFollowUp(containerContext(), BUDGET_MS);
}
