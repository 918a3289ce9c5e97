import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildContext, type BuildOptions, build, context, type Plugin } from 'esbuild';

export const ROOT = join(__dirname, '..');

/** Every function by its name: the base name of its file. */
export function functionFiles(): Map<string, string> {
  const files = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return new Map(files.sort().map((file) => [basename(file, '.ts'), join('functions', file)]));
}

function options(outdir: string): BuildOptions {
  return {
    absWorkingDir: ROOT,
    entryPoints: [...functionFiles()].map(([name, file]) => ({ in: file, out: `${name}/index` })),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    // What the oldest supported Node.js runs; CommonJS loads a little faster than modules do.
    target: 'node20.19',
    format: 'cjs',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    // Lambda provides the first; the second is an optional native add-on of pg that nobody installs.
    external: ['@aws-sdk/*', 'pg-native'],
    logLevel: 'warning',
    metafile: true,
  };
}

/** Bundles every function to `<outdir>/<name>/index.cjs`. */
export function buildFunctions(outdir = 'dist') {
  return build(options(outdir));
}

/** Bundles, and again at every change, telling about each result. The first build is done when this resolves. */
export async function watchFunctions(onBuilt: (ok: boolean) => void): Promise<BuildContext> {
  let first = true;
  const notify: Plugin = {
    name: 'notify',
    setup(builder) {
      builder.onEnd((result) => {
        if (!first) onBuilt(result.errors.length === 0);
        first = false;
      });
    },
  };
  const building = await context({ ...options('dist'), plugins: [notify] });
  await building.rebuild();
  await building.watch();
  return building;
}
