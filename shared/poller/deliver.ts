import type { Consumer } from '../broker/topology';
import { BEHIND_A_FAILURE } from '../lambda/rmq-event';
import { callFunction, type Failure, type Failures, readResponse } from './call-function';
import type { Suspects } from './earlier-attempts-store';
import { clearSuspects, noteSuspects } from './suspect-store';
import type { EventMessage, PollContext } from './types';

export interface Delivery {
  failures: Failures;
  /** Not delivered, because no time was left or the function is unavailable. */
  untried: EventMessage[];
  unavailable?: string;
}

const NOT_TRIED: Failure = { reason: BEHIND_A_FAILURE, final: false };
const NO_RESULT: Failure = {
  reason: 'the function did not return, and the poller ended meanwhile',
  final: false,
};

/**
 * Delivers events to the consumer function: one call for all unsuspected events, and one call per suspect. If a call fails
 * as a whole, any of its events may be the cause, so all of them become suspects and are tried one by one: an event that
 * crashes or stalls the function then fails alone. Suspects are stored, because the poller may end before all are tried,
 * or because of that event. Later events of the same user fail with it, untried.
 * @param suspects of earlier calls; those of this one are added
 * @param stop delivers nothing more after the current call
 * @throws if the database fails
 */
export async function deliverEvents(
  ctx: PollContext,
  consumer: Consumer,
  events: EventMessage[],
  suspects: Suspects,
  stop: AbortSignal,
): Promise<Delivery> {
  const failures: Failures = new Map();
  const failedSubjects = new Set<string>();
  const calls = callsFor(events, suspects);
  const fail = ({ event }: EventMessage, failure: Failure) => {
    failures.set(event.id, failure);
    failedSubjects.add(event.subject);
  };
  let unavailable: string | undefined;

  for (let isFirst = true; calls.length > 0 && unavailable === undefined; isFirst = false) {
    if (stop.aborted && !isFirst) break;
    const [call = []] = calls.splice(0, 1);
    for (const item of call.filter(({ event }) => failedSubjects.has(event.subject))) fail(item, NOT_TRIED);
    const ready = call.filter(({ event }) => !failedSubjects.has(event.subject));
    const [first] = ready;
    if (!first) continue;
    const isAlone = ready.length === 1;
    const ids = idsOf(ready);
    if (isAlone && suspects.get(first.event.id)) {
      await noteSuspects(ctx.db, consumer, ids, false);
      fail(first, NO_RESULT);
      continue;
    }
    // A redelivered message may be the reason why an earlier poller ended.
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
    const result = outcome.kind === 'answered' ? readResponse(outcome.payload, ids) : outcome;
    if ('failures' in result) {
      for (const item of ready) {
        const failure = result.failures.get(item.event.id);
        if (failure) fail(item, failure);
      }
      const untried = ready.filter(({ event }) => result.untried.has(event.id));
      if (untried.length > 0) calls.unshift(untried);
      const tried = ids.filter((id) => !result.untried.has(id));
      // Before the next call, which may never return.
      if (isNoted) await clearSuspects(ctx.db, consumer, tried);
      continue;
    }
    const { reason } = result;
    ctx.log.error('A consumer function failed', { consumer, messages: ready.length, reason });
    await noteSuspects(ctx.db, consumer, ids, false);
    for (const id of ids) suspects.set(id, false);
    if (isAlone) fail(first, { reason, final: false });
    else calls.unshift(...ready.map((item) => [item]));
  }
  return { failures, untried: calls.flat(), ...(unavailable !== undefined && { unavailable }) };
}

const idsOf = (events: EventMessage[]) => events.map(({ event }) => event.id);

/** One call for all unsuspected events; then suspects, and later events of the same users, one by one. */
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
