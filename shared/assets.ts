import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is bundled for browsers, each from the folder of its name. */
export type Frontend = 'console' | 'pages';

/** The files of each, with their types. The build compresses them with gzip and puts them beside the bundle. */
export const ASSETS = {
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
} as const;

export type Asset = keyof typeof ASSETS;

const versions = new Map<string, Promise<string>>();

/** @returns the compressed file */
export function readAsset(frontend: Frontend, name: Asset): Promise<Buffer> {
  return readFile(join(__dirname, `${frontend}-${name}.gz`));
}

/** Changes with the file's content, so that browsers may keep each version for ever. */
export function versionOf(frontend: Frontend, name: Asset): Promise<string> {
  const key = `${frontend}/${name}`;
  const known = versions.get(key);
  if (known) return known;
  const version = readAsset(frontend, name).then((file) =>
    createHash('sha256').update(file).digest('base64url').slice(0, 12),
  );
  versions.set(key, version);
  // A failure must not stay.
  version.catch(() => versions.delete(key));
  return version;
}
