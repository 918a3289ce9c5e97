import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** @throws Error naming the variable to change, if another program uses the port */
export async function assertPortFree(variable: string, port: number): Promise<void> {
  try {
    await listenOnce(port);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new Error(
      code === 'EADDRINUSE'
        ? `Port ${port} is taken: is Rollcall already running? Set ${variable} to a free one, such as ${variable}=${port + 100} npm start`
        : `Port ${port} cannot be used (${code}): set ${variable} to another port`,
    );
  }
}

/**
 * A free port, below the range of ephemeral ports, from which the system could give this port to another process before it
 * is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await listenOnce(port).catch(() => null)) return port;
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}
