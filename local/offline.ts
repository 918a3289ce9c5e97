import { type Child, type ChildListener, startChild } from './child';

interface Options {
  httpPort: number;
  lambdaPort: number;
  dataDir: string;
  /** Disables the functions' time-outs, for tests: unlike in the cloud, a container's start counts here. */
  noTimeout?: boolean;
}

/**
 * Starts serverless-offline, which runs each concurrent call of a function in a thread of its own, with the function's own
 * bundle.
 */
export function startOffline(
  options: Options,
  environment: NodeJS.ProcessEnv,
  listener: ChildListener,
): Promise<Child> {
  const command = [
    require.resolve('serverless/bin/serverless.js'),
    ...['offline', 'start'],
    ...['--host', '127.0.0.1', '--httpPort', String(options.httpPort)],
    ...['--lambdaPort', String(options.lambdaPort), '--noSponsor'],
    ...(options.noTimeout ? ['--noTimeout'] : []),
  ];
  return startChild('serverless-offline', command, options, environment, listener);
}
