import type { Config } from '../config';
import { DomainError } from '../errors';
import { CONSUMER_NAMES, queueOf } from './topology';

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
