import * as v from 'valibot';

/** The queue of a consumer, such as rollcall.audit. Which there are depends on QUEUE_PREFIX: the flows check it. */
export const QueueName = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
