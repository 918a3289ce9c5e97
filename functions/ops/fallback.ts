// Every other route: CORS preflights for any path, 404 for everything else.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { replyToUnknownRoute } from '../../shared/http/methods';

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ method }) => replyToUnknownRoute(method),
});
