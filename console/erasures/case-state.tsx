import type { Erasure } from '../types';
import { State } from '../ui/state';
import { Time } from '../ui/time';

export function CaseState({ erasure: { completedAt, isOverdue, receipts } }: { erasure: Erasure }) {
  const answered = receipts.filter(({ receivedAt }) => receivedAt !== null).length;
  const progress = `${answered} of ${receipts.length} have answered`;
  if (completedAt !== null)
    return (
      <State tone="good">
        completed <Time at={completedAt} isRelative />
      </State>
    );
  return isOverdue ? <State tone="bad">overdue: {progress}</State> : <State tone="busy">{progress}</State>;
}
