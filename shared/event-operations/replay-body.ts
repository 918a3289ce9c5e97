import * as v from 'valibot';
import { EventTypeList } from '../events/catalog';
import { exactly } from '../exactly';
import { Time } from '../time';
import { QueueName } from './consumer-queue';

/** Which events to send to which queue. */
export const ReplayBody = exactly({
  queue: QueueName,
  from: v.optional(Time),
  to: v.optional(v.pipe(Time, v.description('Exclusive'))),
  types: v.optional(EventTypeList),
  subject: v.optional(v.pipe(v.string('must be a string'), v.uuid('must be an id'))),
  dryRun: v.optional(v.pipe(v.boolean('must be true or false'), v.description('Only counts the events'))),
});
