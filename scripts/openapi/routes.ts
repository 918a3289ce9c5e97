import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { functionFiles, ROOT } from '../function-files';

export interface Route {
  method: string;
  path: string;
}

export interface HttpFunction {
  name: string;
  /** Its folder in `functions/`. */
  area: string;
  file: string;
  /** The first is the main route, the others are aliases. */
  routes: [Route, ...Route[]];
}

interface Configuration {
  functions: Record<string, { events?: { httpApi?: unknown }[] }>;
}

/**
 * The functions that answer HTTP requests, in the order of serverless.yml. Without `*`, which answers requests that match
 * no route, and without HEAD, which belongs to GET.
 */
export async function httpFunctions(): Promise<HttpFunction[]> {
  const text = await readFile(join(ROOT, 'serverless.yml'), 'utf8');
  const { functions }: Configuration = parse(text);
  const files = functionFiles();
  return Object.entries(functions).flatMap(([name, { events = [] }]) => {
    const [first, ...others] = events
      .flatMap(({ httpApi }) => (httpApi === undefined || httpApi === '*' ? [] : [httpApi]))
      .map(readRoute)
      .filter(({ method }) => method !== 'HEAD');
    if (!first) return [];
    const file = files.get(name);
    if (!file)
      throw new Error(`serverless.yml has a function ${name}, but functions/ has no file of that name`);
    const area = file.split(/[\\/]/)[1] ?? '';
    return [{ name, area, file, routes: [first, ...others] }];
  });
}

function readRoute(httpApi: unknown): Route {
  const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(String(httpApi)) ?? [];
  if (!method || !path)
    throw new Error(`Write the httpApi event as "METHOD /path": ${JSON.stringify(httpApi)}`);
  // A route for any method answers GET and HEAD: see shared/http/methods.ts.
  return { method: method === 'ANY' ? 'GET' : method, path };
}
