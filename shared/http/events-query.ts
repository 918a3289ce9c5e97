import * as v from 'valibot';
import { exactly } from '../exactly';
import { Time } from '../time';
import { UserId } from '../users/fields';
import { Cursor, decodeCursor, Limit } from './page';

const Position = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const FeedPosition = v.strictObject({
  after: Position,
  gap: v.optional(v.strictObject({ upTo: Position, horizon: v.pipe(v.string(), v.regex(/^\d{1,19}$/)) })),
});

/** `after`: empty for the beginning of the log, or `nextCursor` of the feed. */
const After = v.optional(
  v.pipe(
    v.pipe(
      v.string(),
      v.description(
        'Turns the list into a feed, oldest first: empty for the beginning of the log, then `nextCursor`',
      ),
    ),
    v.transform((text) => (text === '' ? { after: 0 } : decodeCursor(text))),
    v.check((value) => v.is(FeedPosition, value), 'must be empty or a nextCursor from this feed'),
    v.transform((value) => v.parse(FeedPosition, value)),
  ),
);

/** The query of `GET /events`. */
export const EventsQuery = v.pipe(
  exactly({
    type: v.optional(v.string()),
    subject: v.optional(UserId),
    status: v.optional(
      v.pipe(
        v.picklist(
          ['pending', 'published', 'retrying', 'dead'],
          'must be pending, published, retrying or dead',
        ),
        v.description('`retrying` and `dead`: at one consumer at least'),
      ),
    ),
    from: v.optional(Time),
    to: v.optional(v.pipe(Time, v.description('Exclusive'))),
    limit: Limit,
    cursor: Cursor(v.pipe(v.number(), v.safeInteger())),
    after: After,
  }),
  v.forward(
    v.partialCheck(
      [['cursor'], ['after']],
      ({ cursor, after }) => cursor === undefined || after === undefined,
      'must not be sent together with cursor',
    ),
    ['after'],
  ),
);
