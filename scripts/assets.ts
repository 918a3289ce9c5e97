import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';
import type { Frontend } from '../shared/assets';
import { ROOT } from './function-files';

/** Files that functions send, compressed, from beside their bundle. */
export type Assets = Map<string, Buffer>;

/** The page at /docs loads its script from Rollcall, so that it works without a network and without a CDN. */
async function docsAssets(): Promise<Assets> {
  const script = await readFile(require.resolve('openapi-explorer/dist/browser/openapi-explorer.min.js'));
  return compressed([['openapi-explorer.js', script]]);
}

/** Bundles a front end from the folder of its name. @throws BuildFailure after esbuild has printed the reason */
async function frontendAssets(frontend: Frontend): Promise<Assets> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: `${frontend}/main.tsx`, out: 'app' },
      { in: `${frontend}/style/index.css`, out: 'app' },
    ],
    outdir: 'dist',
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  return compressed(
    outputFiles.map(({ path, contents }) => [
      `${frontend}-${path.endsWith('.css') ? 'app.css' : 'app.js'}`,
      contents,
    ]),
  );
}

const consoleAssets = () => frontendAssets('console');
const pagesAssets = () => frontendAssets('pages');

async function compressed(files: [name: string, content: Uint8Array][]): Promise<Assets> {
  const all = files.map(
    async ([name, content]): Promise<[string, Buffer]> => [
      `${name}.gz`,
      await promisify(gzip)(content, { level: 9 }),
    ],
  );
  return new Map(await Promise.all(all));
}

/** By the functions that send them. */
const SENDERS: Record<string, () => Promise<Assets>> = {
  'docs-renderer': docsAssets,
  console: consoleAssets,
  'console-asset': consoleAssets,
  'hosted-page': pagesAssets,
  'page-asset': pagesAssets,
};

/** @returns the files of all functions */
export async function allAssets(): Promise<Assets> {
  const all = await Promise.all([docsAssets(), consoleAssets(), pagesAssets()]);
  return new Map(all.flatMap((assets) => [...assets]));
}

export async function writeAssets(directory: string, assets: Assets): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all([...assets].map(([name, content]) => writeFile(join(directory, name), content)));
}

/** Writes each function's files to its folder. */
export async function writeFunctionAssets(outdir: string): Promise<void> {
  await Promise.all(
    Object.entries(SENDERS).map(async ([name, make]) => writeAssets(join(outdir, name), await make())),
  );
}
