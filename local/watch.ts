import { type FSWatcher, readdirSync, type WatchListener, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../scripts/function-files';

const FOLDERS = ['functions', 'shared', 'console', 'pages', 'scripts/serve'];
/** An editor writes a file in several steps, and saves several files at once. */
const QUIET_MS = 50;

/** Calls `onEdit` after each edit of the service's source files; never twice at once. @returns ends it */
export function watchSources(onEdit: () => Promise<void>, root = ROOT): () => void {
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let watchers = watchFolders(root, onChange);

  function onChange(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Anew, because the edit may have added, removed or replaced a folder.
      for (const watcher of watchers) watcher.close();
      watchers = watchFolders(root, onChange);
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
function watchFolders(root: string, onChange: () => void): FSWatcher[] {
  const tops = FOLDERS.map((name) => join(root, name));
  const folders = tops.flatMap(foldersIn).flatMap((folder) => watchFolder(folder, onChange));
  // For a folder that git takes away and brings back.
  const parents = [...new Set(tops.map((top) => dirname(top)))].flatMap((parent) =>
    watchFolder(parent, (_event, name) => {
      if (name !== null && tops.includes(join(parent, name))) onChange();
    }),
  );
  return [...folders, ...parents];
}

function foldersIn(folder: string): string[] {
  const entries = ifThere(() => readdirSync(folder, { withFileTypes: true }));
  const inner = entries.filter((entry) => entry.isDirectory());
  return [folder, ...inner.flatMap(({ name }) => foldersIn(join(folder, name)))];
}

function watchFolder(folder: string, listener: WatchListener<string>): FSWatcher[] {
  return ifThere(() => [watch(folder, listener).on('error', () => {})]);
}

/** A folder that is removed meanwhile needs no watching. */
function ifThere<T>(find: () => T[]): T[] {
  try {
    return find();
  } catch {
    return [];
  }
}
