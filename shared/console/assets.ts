import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The console's files, with their types. The build compresses them with gzip and puts them beside the bundle. */
export const ASSETS = {
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
} as const;

export type Asset = keyof typeof ASSETS;

const versions = new Map<Asset, Promise<string>>();

/** @returns the compressed file */
export function readAsset(name: Asset): Promise<Buffer> {
  return readFile(join(__dirname, `console-${name}.gz`));
}

/** Changes with the file's content, so that browsers may keep each version for ever. */
export function versionOf(name: Asset): Promise<string> {
  const known = versions.get(name);
  if (known) return known;
  const version = readAsset(name).then((file) =>
    createHash('sha256').update(file).digest('base64url').slice(0, 12),
  );
  versions.set(name, version);
  // A failure must not stay.
  version.catch(() => versions.delete(name));
  return version;
}
