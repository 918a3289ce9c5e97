import { useEffect, useRef, useState } from 'preact/hooks';
import { request } from './session';

export interface Query<T> {
  /** The last answer, also while a newer one is on its way or has failed. */
  data: T | undefined;
  error: Error | undefined;
  reload(): void;
}

/**
 * Reads a path of the API, and again whenever it changes.
 * @param path null: nothing yet
 * @param pollMs reads again after that time, as long as the page is visible
 */
export function useQuery<T>(path: string | null, pollMs?: number): Query<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: Error }>({ path });
  const [turn, setTurn] = useState(0);
  const poll = useRef(pollMs);
  poll.current = pollMs;

  useEffect(() => {
    if (path === null) return;
    const aborted = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        const data = await request<T>('GET', path, { signal: aborted.signal });
        setState({ path, data });
      } catch (error) {
        if (aborted.signal.aborted) return;
        setState((before) => ({ ...(before.path === path ? before : { path }), error: error as Error }));
      }
      schedule();
    };
    const schedule = () => {
      if (aborted.signal.aborted || poll.current === undefined) return;
      timer = setTimeout(() => (document.hidden ? schedule() : void read()), poll.current);
    };
    void read();
    return () => {
      aborted.abort();
      clearTimeout(timer);
    };
  }, [path, turn]);

  const isCurrent = state.path === path;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    reload: () => setTurn((before) => before + 1),
  };
}

interface Page {
  nextCursor: string | null;
}

export interface Pages<T extends Page> extends Query<T> {
  /** The pages after the first, which is read again and again. */
  more: T[];
  /** Undefined if there is no further page. */
  readMore: (() => Promise<void>) | undefined;
}

/** A list with pages: the first one is polled, later ones are read on demand. */
export function usePages<T extends Page>(path: string, pollMs?: number): Pages<T> {
  const [{ of, more, cursor }, setMore] = useState<{ of: string; more: T[]; cursor: string | null }>({
    of: path,
    more: [],
    cursor: null,
  });
  const isCurrent = of === path;
  // A first page that goes on changing would leave a gap before the second.
  const first = useQuery<T>(path, isCurrent && more.length > 0 ? undefined : pollMs);
  const next = (isCurrent && more.length > 0 ? cursor : first.data?.nextCursor) ?? null;
  const readMore = async () => {
    const page = await request<T>('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${next}`);
    setMore((before) => ({
      of: path,
      more: [...(before.of === path ? before.more : []), page],
      cursor: page.nextCursor,
    }));
  };
  return { ...first, more: isCurrent ? more : [], readMore: next === null ? undefined : readMore };
}
