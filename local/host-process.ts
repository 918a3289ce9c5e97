import { buildProgram } from '../scripts/bundle';
import { type Child, type ChildListener, startChild } from './child';
import type { FromHost, ToHost } from './host-messages';

export interface HostListener extends ChildListener {
  /** The console asks for a fault. @returns false if there is none of that name */
  onFault(name: string): Promise<boolean>;
}

/** The process that answers HTTP with the newest bundle of the service. */
export interface HostProcess extends Child {
  /** Replaces the bundle. @throws Error if it cannot be loaded; then the one before goes on */
  load(bundle: string): Promise<void>;
}

/** @param outdir for the program of that process */
export async function startHostProcess(
  outdir: string,
  options: { httpPort: number; dataDir: string },
  environment: NodeJS.ProcessEnv,
  listener: HostListener,
): Promise<HostProcess> {
  const program = await buildProgram('local/host.ts', outdir);
  const command = [program, String(options.httpPort)];
  const child = await startChild('The functions', command, options, environment, listener);
  // With a callback, because an error without one would end this process: `onExit` says what has happened to that one.
  const send = (message: ToHost) => void child.process.send(message, () => {});
  let onLoaded: (failure: string | null) => void = () => {};
  child.process.once('exit', () => onLoaded('the process has ended'));
  child.process.on('message', (message: FromHost) => {
    if (message.kind === 'loaded') return onLoaded(message.failure);
    const { id, name } = message;
    void listener.onFault(name).then(
      (done) => send({ kind: 'injected', id, done }),
      () => send({ kind: 'injected', id, done: false }),
    );
  });
  return {
    ...child,
    load: async (bundle) => {
      const loaded = new Promise<string | null>((resolve) => {
        onLoaded = resolve;
      });
      send({ kind: 'load', file: bundle });
      const failure = await loaded;
      if (failure !== null) throw new Error(`The functions fail when they are loaded: ${failure}`);
    },
  };
}
