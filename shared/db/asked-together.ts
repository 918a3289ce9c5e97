import { setImmediate as turn } from 'node:timers/promises';
import type { Db } from './connection';

/**
 * A lookup by key that asks once for all keys of one turn of the event loop. A busy process then pays for one round trip where
 * it would pay for as many as it has requests; a lone request waits for no other.
 * @param load returns what it finds by its key; its error rejects every lookup of that turn
 */
export function askedTogether<Key, Found>(
  load: (db: Db, keys: Key[]) => Promise<ReadonlyMap<Key, Found>>,
): (db: Db, key: Key) => Promise<Found | undefined> {
  const next = new WeakMap<Db, { keys: Set<Key>; found: Promise<ReadonlyMap<Key, Found>> }>();

  function open(db: Db) {
    const keys = new Set<Key>();
    const found = turn().then(() => {
      // Later lookups need a new query: this one may miss what was committed before them.
      next.delete(db);
      return load(db, [...keys]);
    });
    const lookup = { keys, found };
    next.set(db, lookup);
    return lookup;
  }

  return async (db, key) => {
    const { keys, found } = next.get(db) ?? open(db);
    keys.add(key);
    return (await found).get(key);
  };
}
