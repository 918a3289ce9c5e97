import { useEffect, useState } from 'preact/hooks';

/** Asked on this machine only: a deployed service has none, and its answer would be an error. */
const isLocal = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(location.hostname);

/** @returns whether `npm start` offers faults to inject */
export function useFaults(): boolean {
  const [isOffered, setOffered] = useState(false);
  useEffect(() => {
    if (!isLocal) return;
    fetch('local/faults').then(
      ({ ok }) => setOffered(ok),
      () => {},
    );
  }, []);
  return isOffered;
}
