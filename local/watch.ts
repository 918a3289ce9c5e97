import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/function-files';

const FOLDERS = ['functions', 'shared', 'console', 'pages', 'scripts/serve'];
/** An editor writes a file in several steps, and saves several files at once. */
const QUIET_MS = 50;

/** Calls `onEdit` after each edit of the service's source files; never twice at once. @returns ends it */
export function watchSources(onEdit: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let watchers = watchFolders(onChange);

  function onChange(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Anew, because the edit may have added, removed or replaced a folder.
      for (const watcher of watchers) watcher.close();
      watchers = watchFolders(onChange);
      working = working.then(onEdit);
    }, QUIET_MS);
  }

  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

/**
 * Each folder by itself: with `recursive`, Node.js on Linux watches files, and loses one that an editor, git or `sed -i` replaces by
 * another of the same name.
 */
function watchFolders(onChange: () => void): FSWatcher[] {
  return FOLDERS.flatMap((name) => {
    const top = join(ROOT, name);
    const entries = readdirSync(top, { recursive: true, withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory());
    return [top, ...folders.map((entry) => join(entry.parentPath, entry.name))];
  }).flatMap((folder) => {
    try {
      // A folder that is removed meanwhile needs no watching.
      return [watch(folder, onChange).on('error', () => {})];
    } catch {
      return [];
    }
  });
}
