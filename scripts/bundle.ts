import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, context, type Metafile, type Plugin } from 'esbuild';
import { leaveOutUnused } from './leave-out';

export const ROOT = join(__dirname, '..');

/** Every function by its name: the base name of its file. */
export function functionFiles(): Map<string, string> {
  const files = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return new Map(files.sort().map((file) => [basename(file, '.ts'), join('functions', file)]));
}

/** The one function that runs kysely's migrator, which needs what `leaveOutUnused` takes away. */
const NEEDS_EVERYTHING = 'migrate';

/** Two builds, side by side: a module is either whole or left out in all of a build's bundles. */
function builds(outdir: string, ...plugins: Plugin[]) {
  const functions = [...functionFiles()];
  const [whole, slim] = [true, false].map((needs) =>
    functions.filter(([name]) => (name === NEEDS_EVERYTHING) === needs),
  );
  return [
    options(outdir, slim ?? [], [leaveOutUnused, ...plugins]),
    options(outdir, whole ?? [], plugins),
  ] as const;
}

function options(outdir: string, functions: [name: string, file: string][], plugins: Plugin[]) {
  return {
    absWorkingDir: ROOT,
    entryPoints: functions.map(([name, file]) => ({ in: file, out: `${name}/index` })),
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
    plugins,
  } satisfies BuildOptions;
}

/** Bundles every function to `<outdir>/<name>/index.cjs`. @returns what went into each, by its file */
export async function buildFunctions(outdir = 'dist'): Promise<Metafile['outputs']> {
  const results = await Promise.all(builds(outdir).map((one) => build(one)));
  return Object.assign({}, ...results.map((result) => result.metafile.outputs));
}

/** Bundles, and again at every change, telling about each result. The first build is done when this resolves. */
export async function watchFunctions(onBuilt: (ok: boolean) => void): Promise<{ dispose(): Promise<void> }> {
  let watching = false;
  const notify: Plugin = {
    name: 'notify',
    setup(builder) {
      builder.onEnd((result) => {
        if (watching) onBuilt(result.errors.length === 0);
      });
    },
  };
  const contexts = await Promise.all(builds('dist', notify).map((one) => context(one)));
  await Promise.all(contexts.map((building) => building.rebuild()));
  watching = true;
  await Promise.all(contexts.map((building) => building.watch()));
  return {
    dispose: async () => {
      await Promise.all(contexts.map((building) => building.dispose()));
    },
  };
}
