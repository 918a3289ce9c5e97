// Every other route: the CORS preflight of any path, and 404 for what does not exist.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { answerNoRoute } from '../../shared/http/methods';

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ method }) => answerNoRoute(method),
});
