/** The request id of these requests, by which their log lines are left out. */
export const WARM_UP_ID = 'warm-up';

/** The endpoints that are used first. Each request is refused, because it has no body or token, but starts a container. */
const REQUESTS = [
  ['POST', '/register'],
  ['POST', '/login'],
  ['POST', '/refresh'],
  ['GET', '/users/me'],
] as const;

/** Loads functions before the first user waits for them. Ignores errors: a real request would show them again. */
export async function warmUp(url: string): Promise<void> {
  await Promise.all(
    REQUESTS.map(async ([method, path]) => {
      const headers = { 'x-request-id': WARM_UP_ID, 'content-type': 'application/json' };
      const body = method === 'POST' ? { body: '{}' } : {};
      const response = await fetch(url + path, { method, headers, ...body }).catch(() => null);
      await response?.text();
    }),
  );
}
