import { askedTogether } from '../../../shared/db/asked-together';
import { type Db, openDatabase } from '../../../shared/db/connection';

/** Never connects: what is looked up here needs no server. */
const someDb = (): Db => openDatabase({ url: 'postgres://127.0.0.1:1/none', poolSize: 1 }, () => {});

/** A lookup that finds every key but `nothing`, when it is let go. */
function lookup() {
  const asked: string[][] = [];
  const letGo: (() => void)[] = [];
  const find = askedTogether(async (_db, keys: string[]) => {
    asked.push(keys);
    await new Promise<void>((resolve) => letGo.push(resolve));
    if (keys.includes('broken')) throw new Error('The lookup failed');
    return new Map(keys.filter((key) => key !== 'nothing').map((key) => [key, `found ${key}`]));
  });
  const untilAsked = async (times: number) => {
    while (asked.length < times) await new Promise((resolve) => setImmediate(resolve));
  };
  return { asked, letGo, find, untilAsked };
}

test('what is asked for in one turn is looked up once, and everybody gets their own', async () => {
  const { asked, letGo, find, untilAsked } = lookup();
  const db = someDb();
  const answers = Promise.all(['a', 'b', 'a', 'nothing'].map((key) => find(db, key)));
  await untilAsked(1);
  letGo[0]?.();
  expect(await answers).toEqual(['found a', 'found b', 'found a', undefined]);
  expect(asked).toEqual([['a', 'b', 'nothing']]);
});

test('no question gets an answer that was looked up before it, and none waits for an earlier one', async () => {
  const { asked, letGo, find, untilAsked } = lookup();
  const db = someDb();
  const first = find(db, 'a');
  await untilAsked(1);
  const second = find(db, 'a');
  await untilAsked(2);
  letGo[1]?.();
  expect(await second).toBe('found a');
  letGo[0]?.();
  expect(await first).toBe('found a');
  expect(asked).toEqual([['a'], ['a']]);
});

test('an error reaches all who asked, and no later question', async () => {
  const { letGo, find, untilAsked } = lookup();
  const db = someDb();
  const failing = Promise.allSettled(['broken', 'b'].map((key) => find(db, key)));
  await untilAsked(1);
  letGo[0]?.();
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const later = find(db, 'b');
  await untilAsked(2);
  letGo[1]?.();
  expect(await later).toBe('found b');
});

test('every database is asked for its own', async () => {
  const { asked, letGo, find, untilAsked } = lookup();
  const answers = Promise.all([find(someDb(), 'a'), find(someDb(), 'a')]);
  await untilAsked(2);
  for (const go of letGo) go();
  expect(await answers).toEqual(['found a', 'found a']);
  expect(asked).toEqual([['a'], ['a']]);
});
