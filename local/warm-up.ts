/** Of the requests below, so that their lines are told from those of others. */
export const WARM_UP_ID = 'warm-up';

/** What people ask for first. Each is refused, for want of a body or a token, and leaves a container behind. */
const REQUESTS = [
  ['POST', '/register'],
  ['POST', '/login'],
  ['POST', '/refresh'],
  ['GET', '/users/me'],
] as const;

/** Has the functions loaded before somebody waits for them. What fails here fails again when it is asked for. */
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
