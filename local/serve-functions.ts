import { join } from 'node:path';
import { buildFunctions } from '../scripts/bundle';
import { explain } from '../scripts/explain';
import { ROOT } from '../scripts/function-files';
import { LocalBundle } from './bundle';
import { type HostListener, startHostProcess } from './host-process';
import { startOffline } from './offline';
import { startSchedule } from './schedule';
import type { LocalSettings } from './settings';
import { watchSources } from './watch';

/** Requests and background work share the pool, which opens as many as are needed at once. */
const CONNECTIONS = 20;

export const FUNCTION_PREFIX = 'rollcall-dev-';

interface Options {
  settings: LocalSettings;
  environment: NodeJS.ProcessEnv;
  listener: HostListener;
  /** Resolves when database and broker are ready for the functions. */
  prepared: Promise<unknown>;
}

export interface ServedFunctions {
  stop(): Promise<void>;
}

/**
 * Serves all functions in one process, as `npm run serve` does. An edit takes effect at once, and requests under way are
 * answered by the code that they began in.
 * @throws Error if the functions cannot be built or loaded, or `prepared` rejects
 */
export async function serveInProcess(options: Options): Promise<ServedFunctions> {
  const { settings, environment, listener, prepared } = options;
  const outdir = join(ROOT, 'dist/local');
  const bundle = new LocalBundle(outdir);
  const host = await startHostProcess(
    outdir,
    settings,
    { ...environment, DATABASE_POOL_SIZE: environment['DATABASE_POOL_SIZE'] || String(CONNECTIONS) },
    listener,
  );
  const loadNewest = async () => {
    const file = await bundle.build();
    if (!file) return;
    await host.load(file);
    console.log('The edit is in effect');
  };
  const loadFirst = async () => {
    const [file] = await Promise.all([bundle.build(), prepared]);
    if (file) await host.load(file);
    await host.answers();
  };
  const loading = loadFirst();
  // From the first build on, so that no edit is missed.
  const stopWatching = watchSources(() =>
    loading
      .then(loadNewest)
      .catch((error: unknown) =>
        console.error(`The functions are still those from before this edit. ${explain(error)}`),
      ),
  );
  const stop = async () => {
    stopWatching();
    await host.stop();
  };
  try {
    await loading;
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/**
 * Serves the functions by serverless-offline: each concurrent call in a thread of its own, with the function's own bundle and
 * state, as Lambda does, and Lambda's own endpoint. Takes more time and memory, and an edit needs a restart.
 */
export async function serveInThreads(options: Options): Promise<ServedFunctions> {
  const { settings, environment, listener, prepared } = options;
  await Promise.all([buildFunctions(), prepared]);
  const offline = await startOffline(settings, environment, listener);
  const schedule = startSchedule(FUNCTION_PREFIX, settings.lambdaEndpoint, (name, reason) =>
    console.error(`${name} failed and will be run again: ${reason}`),
  );
  await offline.answers();
  return {
    stop: async () => {
      schedule.stop();
      await offline.stop();
    },
  };
}
