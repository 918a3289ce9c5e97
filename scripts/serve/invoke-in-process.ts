import { handler as adminNotices } from '../../functions/consumers/admin-notices';
import { handler as analytics } from '../../functions/consumers/analytics';
import { handler as audit } from '../../functions/consumers/audit';
import { handler as deadLetters } from '../../functions/consumers/dead-letters';
import { handler as emails } from '../../functions/consumers/emails';
import { handler as receipts } from '../../functions/consumers/receipts';
import { handler as webhooks } from '../../functions/consumers/webhooks';
import { DEAD_LETTERS, type PolledQueue } from '../../shared/broker/topology';
import type { Config } from '../../shared/config';
import type { Invoke } from '../../shared/lambda/invoke';
import type { BatchResponse, RmqEvent } from '../../shared/lambda/rmq-event';

/** The type requires every consumer, so a new one that is missing here does not compile. */
const CONSUMERS: Record<PolledQueue, (event: RmqEvent) => Promise<BatchResponse>> = {
  analytics,
  audit,
  emails,
  'admin-notices': adminNotices,
  webhooks,
  [DEAD_LETTERS]: deadLetters,
  receipts,
};

/**
 * Calls consumers in this process instead of invoking Lambda functions. As with Lambda, a missing function is
 * `unavailable`: its messages wait without counting an attempt, and the log has the reason.
 */
export function invokeInProcess({ functionPrefix }: Pick<Config['lambda'], 'functionPrefix'>): Invoke {
  const functions = new Map(
    Object.entries(CONSUMERS).map(([name, handler]) => [`${functionPrefix}${name}`, handler]),
  );
  return async (functionName, payload) => {
    const handler = functions.get(functionName);
    if (!handler) {
      const known = [...functions.keys()].join(', ');
      return {
        kind: 'unavailable',
        reason: `this process has no function ${functionName}; it has ${known}`,
      };
    }
    try {
      // The poller passes no other payload, and without a wire in between it keeps its type.
      return { kind: 'answered', payload: await handler(payload as RmqEvent) };
    } catch (error) {
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  };
}
