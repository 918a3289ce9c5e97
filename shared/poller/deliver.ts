import type { Consumer } from '../broker/topology';
import { callFunction, type Failure, type Failures, readAnswer } from './call-function';
import { clearSuspects, findSuspects, noteSuspects, type Suspects } from './suspect-store';
import type { EventMessage, PollContext } from './types';

export interface Delivery {
  failures: Failures;
  /** Not handed over: there was no time left, or the function cannot be reached, and then why. */
  untried: EventMessage[];
  unavailable?: string;
}

const NOT_TRIED: Failure = { reason: 'not tried: an earlier event of the user failed', final: false };
const NEVER_CAME_BACK: Failure = {
  reason: 'the function has not come back from it, and the poller ended meanwhile',
  final: false,
};

/**
 * Has events handled: one call with all of them, and one for each that is suspected. A call that fails as a whole says
 * nothing about which event was to blame, so each of its events is suspected then and tried by itself: what crashes or
 * stalls the function takes no healthy one along. That is written down, because the run of a poller may end before all
 * are tried, or with the very event. What comes after a failed event of the same user fails with it, untried.
 * @param stop after the call under way, hands nothing over any more
 * @throws where the database does
 */
export async function deliverEvents(
  ctx: PollContext,
  consumer: Consumer,
  events: EventMessage[],
  stop: AbortSignal,
): Promise<Delivery> {
  const suspects = await findSuspects(ctx.db, consumer, idsOf(events));
  const failures: Failures = new Map();
  const stuck = new Set<string>();
  const calls = callsFor(events, suspects);
  const fail = ({ event }: EventMessage, failure: Failure) => {
    failures.set(event.id, failure);
    stuck.add(event.subject);
  };
  let unavailable: string | undefined;

  for (let isFirst = true; calls.length > 0 && unavailable === undefined; isFirst = false) {
    if (stop.aborted && !isFirst) break;
    const [call = []] = calls.splice(0, 1);
    for (const item of call.filter(({ event }) => stuck.has(event.subject))) fail(item, NOT_TRIED);
    const ready = call.filter(({ event }) => !stuck.has(event.subject));
    const [first] = ready;
    if (!first) continue;
    const isAlone = ready.length === 1;
    const ids = idsOf(ready);
    if (isAlone && suspects.get(first.event.id)) {
      await noteSuspects(ctx.db, consumer, ids, false);
      fail(first, NEVER_CAME_BACK);
      continue;
    }
    // What an earlier poller had in hand may be why it ended.
    const isNoted = ready.some(({ event, message }) => suspects.has(event.id) || message.fields.redelivered);
    if (isNoted) await noteSuspects(ctx.db, consumer, ids, isAlone);

    const outcome = await callFunction(
      ctx,
      consumer,
      ready.map(({ message }) => message),
    );
    if (outcome.kind === 'unavailable') {
      if (isNoted) await noteSuspects(ctx.db, consumer, ids, false);
      unavailable = outcome.reason;
      calls.unshift(ready);
      continue;
    }
    const answer = outcome.kind === 'answered' ? readAnswer(outcome.payload, ids) : outcome;
    if ('failures' in answer) {
      for (const item of ready) {
        const failure = answer.failures.get(item.event.id);
        if (failure) fail(item, failure);
      }
      const untried = ready.filter(({ event }) => answer.untried.has(event.id));
      if (untried.length > 0) calls.unshift(untried);
      const answered = ids.filter((id) => !answer.untried.has(id));
      // Before the next call, which may be the one that nothing comes back from.
      if (isNoted) await clearSuspects(ctx.db, consumer, answered);
      continue;
    }
    const { reason } = answer;
    ctx.log.error('A consumer function failed', { consumer, messages: ready.length, reason });
    await noteSuspects(ctx.db, consumer, ids, false);
    for (const id of ids) suspects.set(id, false);
    if (isAlone) fail(first, { reason, final: false });
    else calls.unshift(...ready.map((item) => [item]));
  }
  return { failures, untried: calls.flat(), ...(unavailable !== undefined && { unavailable }) };
}

const idsOf = (events: EventMessage[]) => events.map(({ event }) => event.id);

/** One call for those that nothing is known of; then the suspects, and what is behind them of the same users, one by one. */
function callsFor(events: EventMessage[], suspects: Suspects): EventMessage[][] {
  const together: EventMessage[] = [];
  const alone: EventMessage[][] = [];
  const behind = new Set<string>();
  for (const item of events) {
    if (suspects.has(item.event.id) || behind.has(item.event.subject)) {
      behind.add(item.event.subject);
      alone.push([item]);
    } else {
      together.push(item);
    }
  }
  return together.length > 0 ? [together, ...alone] : alone;
}
