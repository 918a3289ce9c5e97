import { useEffect, useState } from 'preact/hooks';

/** Where the console is: `#/events/ID?type=user.created`. In the fragment, so that the server has one page for all. */
export interface Route {
  /** `['events', 'ID']` */
  path: string[];
  query: URLSearchParams;
}

type Query = Record<string, string | undefined>;

export function href(path: string[], query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const search = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`;
}

export function go(path: string[], query: Query = {}): void {
  location.hash = href(path, query);
}

/** Changes the query of the current view, such as a filter. Replaces the entry in the browser's history. */
export function changeQuery(changes: Query): void {
  const { path, query } = currentRoute();
  history.replaceState(null, '', href(path, { ...Object.fromEntries(query), ...changes }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const onChange = () => setRoute(currentRoute());
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return route;
}

function currentRoute(): Route {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
