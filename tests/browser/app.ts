import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An app that people come back to, as it would be on a developer's machine. */
export interface App {
  url: string;
  /** For RETURN_URLS. It has a query of its own. */
  returnTo: string;
  /** What came in the URL, for each time that somebody came. */
  visits: Record<string, string>[];
  /** The page that runs the code of docs/pages.md, and its URL for RETURN_URLS. */
  sample: string;
  /** @param rollcall the service that the sample signs in at */
  useSampleAt(rollcall: string): void;
  stop(): Promise<void>;
}

const PAGE =
  '<!doctype html><html lang="en"><title>The app</title><link rel="icon" href="data:,"><h1>The app</h1>';
const SAMPLE_PAGE = `${PAGE}<button>Sign in</button><script type="module">
  import { signIn, signedIn } from './sample.js';
  document.querySelector('button').onclick = signIn;
  const session = await signedIn();
  document.querySelector('h1').textContent = session ? 'Hello, ' + session.user.username : 'Nobody is signed in';
</script>`;

export async function startApp(): Promise<App> {
  const visits: App['visits'] = [];
  let auth = '';
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app.invalid');
    if (pathname === '/signed-in') visits.push(Object.fromEntries(searchParams));
    const isScript = pathname === '/sample.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? sampleFor(auth, `${url}/sample`) : pathname === '/sample' ? SAMPLE_PAGE : PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    returnTo: `${url}/signed-in?tenant=7%2F8`,
    visits,
    sample: `${url}/sample`,
    useSampleAt: (rollcall) => {
      auth = rollcall;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The code of docs/pages.md, with other addresses. */
function sampleFor(auth: string, returnTo: string): string {
  const [, code = ''] = /```js\n(.*?)```/s.exec(readFileSync('docs/pages.md', 'utf8')) ?? [];
  return code
    .replace("'https://auth.example.com'", JSON.stringify(auth))
    .replace("'https://app.example.com/signed-in'", JSON.stringify(returnTo));
}
