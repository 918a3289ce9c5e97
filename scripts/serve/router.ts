import { fallback, routes } from 'rollcall:routes';
import type { Handler } from '../../shared/http/endpoint';

export interface Match {
  routeKey: string;
  /** The decoded path parameters, by name. */
  params: Record<string, string>;
  handler: Handler;
}

interface Pattern {
  routeKey: string;
  method: string;
  names: string[];
  regex: RegExp;
  handler: Handler;
}

const exact = new Map<string, Match>();
const patterns: Pattern[] = [];
for (const { method, path, handler } of routes) {
  const routeKey = `${method} ${path}`;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  if (names.length === 0) exact.set(routeKey, { routeKey, params: {}, handler });
  else {
    const regex = new RegExp(`^${path.replace(/\{\w+\}/g, '([^/]+)')}$`);
    patterns.push({ routeKey, method, names, regex, handler });
  }
}

/** The function that API Gateway would choose for a request. A function that answers GET also answers HEAD. */
export function route(method: string, path: string): Match {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = exact.get(`${wanted} ${path}`);
  if (found) return found;
  for (const pattern of patterns) {
    const values = pattern.method === wanted ? pattern.regex.exec(path)?.slice(1).map(decode) : undefined;
    if (!values || values.includes(null)) continue;
    const params = Object.fromEntries(pattern.names.map((name, index) => [name, values[index] ?? '']));
    return { routeKey: pattern.routeKey, params, handler: pattern.handler };
  }
  return { routeKey: '$default', params: {}, handler: fallback };
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
