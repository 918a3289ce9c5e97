import { watch } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/function-files';

const FOLDERS = ['functions', 'shared', 'console', 'pages', 'scripts/serve'];
/** An editor writes a file in several steps, and saves several files at once. */
const QUIET_MS = 50;

/** Calls `onEdit` after each edit of the service's source files; never twice at once. @returns ends it */
export function watchSources(onEdit: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  const watchers = FOLDERS.map((folder) =>
    watch(join(ROOT, folder), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        working = working.then(onEdit);
      }, QUIET_MS);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
