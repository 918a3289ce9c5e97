import { createHash } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, stop } from 'esbuild';
import { allAssets, writeAssets } from '../scripts/assets';
import { BCRYPT_THREAD, bundled, routesModule } from '../scripts/bundle';
import { ROOT } from '../scripts/function-files';

/** Bundles what `npm start` runs: all functions in one module, so that a build is quick and memory holds one of everything. */
export class LocalBundle {
  readonly #outdir: string;
  #version: string | undefined;

  constructor(outdir: string) {
    this.#outdir = outdir;
  }

  /**
   * @returns the file, a new one for each version; null if nothing has changed since the last time
   * @throws BuildFailure after esbuild has printed the reason
   */
  async build(): Promise<string | null> {
    const [[output], assets] = await this.#bundle();
    if (!output) return null;
    const hash = createHash('sha256').update(output.contents);
    for (const content of assets.values()) hash.update(content);
    const version = hash.digest('hex').slice(0, 16);
    if (version === this.#version) return null;
    await writeAssets(this.#outdir, assets);
    await copyFile(join(ROOT, BCRYPT_THREAD), join(this.#outdir, basename(BCRYPT_THREAD)));
    const file = join(this.#outdir, `${version}.cjs`);
    await writeFile(file, output.contents);
    this.#version = version;
    return file;
  }

  async #bundle() {
    try {
      const functions = build({
        ...bundled(this.#outdir, [{ in: 'local/service.ts', out: 'index' }]),
        plugins: [routesModule],
        minify: false,
        sourcemap: false,
        write: false,
      });
      return await Promise.all([functions.then(({ outputFiles }) => outputFiles), allAssets()]);
    } finally {
      // Until the next edit, its process would hold some hundred megabytes.
      await stop();
    }
  }
}
