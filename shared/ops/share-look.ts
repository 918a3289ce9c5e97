import type { Db } from '../db/connection';

const SHARED_MS = 1_000;

/**
 * Has all who ask within a second share one look, and all who ask while it is under way: probes and consoles ask every
 * second or two, and must not pile up at a server that is slow to answer. The answer may be a second old; an error is
 * shared too.
 */
export function shareLook<C extends { db: Db; now(): Date }, T>(
  look: (ctx: C) => Promise<T>,
): (ctx: C) => Promise<T> {
  const looks = new WeakMap<Db, { at: number; result: Promise<T>; isUnderWay: boolean }>();
  return (ctx) => {
    const now = ctx.now().getTime();
    const last = looks.get(ctx.db);
    if (last && (last.isUnderWay || Math.abs(now - last.at) < SHARED_MS)) return last.result;
    const started = { at: now, result: look(ctx), isUnderWay: true };
    looks.set(ctx.db, started);
    const end = () => {
      started.isUnderWay = false;
    };
    started.result.then(end, end);
    return started.result;
  };
}
