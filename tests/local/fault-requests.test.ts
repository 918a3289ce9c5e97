import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerFault } from '../../local/fault-requests';

let server: Server;
let injected: string[];
beforeEach(async () => {
  injected = [];
  server = createServer((incoming, response) =>
    answerFault(incoming, response, async (name) => {
      if (name === 'broken') throw new Error('The broker cannot be reached');
      injected.push(name);
      return name === 'poison';
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

const port = () => (server.address() as AddressInfo).port;

async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const sent = request({ host: '127.0.0.1', port: port(), method, path, headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

const own = () => ({ host: `localhost:${port()}`, origin: `http://localhost:${port()}` });

test('says that faults can be injected, and injects one for its own page', async () => {
  expect(await ask('GET', '/local/faults')).toBe(204);
  expect(await ask('POST', '/local/faults/poison', own())).toBe(204);
  expect(await ask('POST', '/local/faults/unknown', own())).toBe(404);
  expect(await ask('DELETE', '/local/faults/poison', own())).toBe(404);
  expect(injected).toEqual(['poison', 'unknown']);
});

test.each([
  ['no origin', {}],
  ['the origin of a page without one', { origin: 'null' }],
  ['a foreign page', { origin: 'https://evil.example' }],
  ['a foreign name that points here', { host: 'evil.example', origin: 'http://evil.example' }],
  ['another port', { origin: 'http://localhost:1' }],
])('refuses %s', async (_name, headers) => {
  expect(await ask('POST', '/local/faults/poison', { ...own(), origin: '', ...headers })).toBe(403);
  expect(injected).toEqual([]);
});

test('a fault that cannot be injected is an error of this request alone', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => {});
  expect(await ask('POST', '/local/faults/broken', own())).toBe(500);
  expect(log).toHaveBeenCalledWith('The fault was not injected:', expect.any(Error));
  log.mockRestore();
  expect(await ask('GET', '/local/faults')).toBe(204);
});
