import { useEffect, useState } from 'preact/hooks';
import { localTime, relative } from '../format';

const TICK_MS = 1_000;

/** The current time, once a second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A time in the reader's zone; UTC appears on hover. */
export function Time({ at, isRelative = false }: { at: string; isRelative?: boolean }) {
  const now = useNow();
  return (
    <time dateTime={at} title={isRelative ? `${localTime(at)} (UTC ${at})` : `UTC ${at}`}>
      {isRelative ? relative(at, now) : localTime(at)}
    </time>
  );
}
