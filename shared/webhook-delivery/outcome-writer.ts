import type { Context } from '../context/context';
import { DatabaseUnavailable } from '../db/unavailable';
import { pause } from '../pause';
import type { Outcome } from './attempt-delivery';
import type { ClaimedDelivery } from './claim-store';
import { recordAttempt, type Verdict } from './record-attempt';

/** How long after its arrival an outcome is retried while the database is unavailable. Then the delivery is sent again. */
export const WRITE_TIMEOUT_MS = 15_000;
const WRITE_PAUSE_MS = 1_000;

export type WebhookReport = Record<Verdict, number>;

/** Writes outcomes one after another: concurrent writes would exceed the wait for the pool's single connection. */
export class OutcomeWriter {
  readonly report: WebhookReport = { succeeded: 0, retried: 0, failed: 0, lost: 0 };
  #written = Promise.resolve();
  /** Why the latest write failed; undefined while the database is available. */
  #outage: DatabaseUnavailable | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly timeoutMs = WRITE_TIMEOUT_MS,
  ) {}

  /** Resolves when the outcome is written or given up, which is logged. Never rejects. */
  write(delivery: ClaimedDelivery, outcome: Outcome): Promise<void> {
    // From now, not from its turn: in an outage, the times of all before it would add up.
    const end = performance.now() + this.timeoutMs;
    this.#written = this.#written.then(() => this.#writeNow(delivery, outcome, end));
    return this.#written;
  }

  async #writeNow(delivery: ClaimedDelivery, outcome: Outcome, end: number): Promise<void> {
    const { answer, durationMs: ms } = outcome;
    const { endpointId: webhookId, eventId, type: eventType, attempts: attempt } = delivery;
    const answered = answer.kind === 'answered' ? { status: answer.status } : { reason: answer.error };
    const fields = { webhookId, eventId, eventType, attempt, ms, ...answered };
    try {
      const verdict = await this.#recordUntil(end, delivery, outcome);
      this.report[verdict] += 1;
      this.ctx.log[verdict === 'failed' ? 'warn' : 'info']('A webhook delivery was attempted', {
        ...fields,
        verdict,
      });
    } catch (error) {
      // The claim expires and the endpoint may get the event again, with the same `webhook-id`.
      this.ctx.log.error('The outcome of a webhook delivery could not be written', { ...fields, error });
    }
  }

  /** Retries are safe: the first write ends the claim, so a second one changes nothing. */
  async #recordUntil(end: number, delivery: ClaimedDelivery, outcome: Outcome): Promise<Verdict> {
    // One more try may last as long as a connection may take to open.
    if (this.#outage && performance.now() > end) throw this.#outage;
    for (;;) {
      try {
        const verdict = await recordAttempt(this.ctx, delivery, outcome);
        this.#outage = undefined;
        return verdict;
      } catch (error) {
        this.#outage = error instanceof DatabaseUnavailable ? error : undefined;
        if (!this.#outage || performance.now() + WRITE_PAUSE_MS > end) throw error;
        await pause(WRITE_PAUSE_MS);
      }
    }
  }
}
