// Every hour: asks data holders again whose answers to erasures are overdue.
import { containerContext } from '../../shared/context/context';
import { FOLLOW_UP_BUDGET_MS, type FollowUpReport } from '../../shared/erasure/follow-up-erasures';
import { measuredFollowUp } from '../../shared/ops/measured-runs';

export function handler(): Promise<FollowUpReport> {
  return measuredFollowUp(containerContext(), FOLLOW_UP_BUDGET_MS);
}
