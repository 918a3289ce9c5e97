import * as v from 'valibot';
import { CONSUMER_NAMES, queueOf } from '../broker/topology';
import type { Config } from '../config';
import { DomainError } from '../errors';

/** The queue of a consumer, such as rollcall.audit. Which there are depends on QUEUE_PREFIX: the flows check it. */
export const QueueName = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));

/** @throws DomainError `invalid_request`, naming the queues that there are */
export function assertConsumerQueue(config: Config['events'], queue: string): void {
  if (isConsumerQueue(config, queue)) return;
  const known = CONSUMER_NAMES.map((name) => queueOf(config, name));
  throw new DomainError('invalid_request', {
    errors: [{ path: 'queue', message: `must be one of ${known.join(', ')}` }],
  });
}

export function isConsumerQueue(config: Config['events'], queue: string): boolean {
  return CONSUMER_NAMES.some((name) => queueOf(config, name) === queue);
}
