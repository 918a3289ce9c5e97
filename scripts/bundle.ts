import { basename, join, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { allAssets, writeAssets, writeFunctionAssets } from './assets';
import { functionFiles, ROOT } from './function-files';
import { leaveOutUnused } from './leave-out';
import { httpFunctions } from './openapi/routes';

/** The only function that runs kysely's migrator, which needs the modules that `leaveOutUnused` removes. */
const NEEDS_EVERYTHING = 'migrate';

/**
 * A function's bundle exports only its handler, which first waits for its secrets. Exports for tests and documents are left
 * out.
 */
const handlerOnly: Plugin = {
  name: 'handler-only',
  setup(builder) {
    builder.onResolve({ filter: /^handler:/ }, ({ path }) => ({
      path: path.slice('handler:'.length),
      namespace: 'handler',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'handler' }, ({ path }) => ({
      contents: `
        import { withSecrets } from './shared/config/secrets';
        import { handler as complete } from ${JSON.stringify(`./${path.replaceAll('\\', '/')}`)};
        export const handler = withSecrets(complete);`,
      resolveDir: ROOT,
    }));
  },
};

/** Two builds, because `leaveOutUnused` applies to all bundles of a build. */
function builds(outdir: string) {
  const functions = [...functionFiles()];
  const [whole, slim] = [true, false].map((needs) =>
    functions.filter(([name]) => (name === NEEDS_EVERYTHING) === needs),
  );
  return [options(outdir, slim ?? [], [leaveOutUnused]), options(outdir, whole ?? [], [])];
}

function options(outdir: string, functions: [name: string, file: string][], plugins: Plugin[]) {
  const entryPoints = functions.map(([name, file]) => ({ in: `handler:${file}`, out: `${name}/index` }));
  return { ...bundled(outdir, entryPoints), plugins: [handlerOnly, ...plugins] };
}

/** The options of all bundles. */
export function bundled(outdir: string, entryPoints: { in: string; out: string }[]) {
  return {
    absWorkingDir: ROOT,
    entryPoints,
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    // The oldest supported Node.js. CommonJS loads a little faster than ES modules.
    target: 'node20.19',
    format: 'cjs',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    // Lambda provides the first; the second is an optional native add-on of pg, which is not installed.
    external: ['@aws-sdk/*', 'pg-native'],
    logLevel: 'warning',
    metafile: true,
  } satisfies BuildOptions;
}

/** Bundles every function to `<outdir>/<name>/index.cjs`. @returns the inputs of each bundle, by its file */
export async function buildFunctions(outdir = 'dist'): Promise<Metafile['outputs']> {
  const [results] = await Promise.all([
    Promise.all(builds(outdir).map((one) => build(one))),
    writeFunctionAssets(resolve(ROOT, outdir)),
  ]);
  return Object.assign({}, ...results.map((result) => result.metafile.outputs));
}

/** The HTTP functions by their routes in serverless.yml. */
export const routesModule: Plugin = {
  name: 'routes',
  setup(builder) {
    builder.onResolve({ filter: /^rollcall:routes$/ }, ({ path }) => ({ path, namespace: 'routes' }));
    builder.onLoad({ filter: /.*/, namespace: 'routes' }, async () => {
      const functions = await httpFunctions();
      const imports = functions.map(
        ({ file }, index) =>
          `import { handler as h${index} } from ${JSON.stringify(`./${file.replaceAll('\\', '/')}`)};`,
      );
      const routes = functions.flatMap(({ routes }, index) =>
        routes.map(({ method, path }) => `{ method: '${method}', path: '${path}', handler: h${index} }`),
      );
      return {
        contents: `${imports.join('\n')}
          export { handler as fallback } from './functions/ops/fallback.ts';
          export const routes = [${routes.join(', ')}];`,
        resolveDir: ROOT,
      };
    });
  },
};

/** What `hashing-threads.ts` starts: beside the bundle that it is part of. */
export const BCRYPT_THREAD = 'scripts/serve/bcrypt-thread.cjs';

/** Bundles `npm run serve` to `<outdir>/serve/index.cjs` and its thread for bcrypt, which need no packages. */
export async function buildServe(outdir = 'dist'): Promise<Metafile['outputs']> {
  const entryPoints = [
    { in: 'scripts/serve.ts', out: 'serve/index' },
    { in: BCRYPT_THREAD, out: 'serve/bcrypt-thread' },
  ];
  await writeAssets(resolve(ROOT, outdir, 'serve'), await allAssets());
  const result = await build({ ...bundled(outdir, entryPoints), plugins: [routesModule] });
  return result.metafile.outputs;
}

/** Bundles a program of `npm start`, measurements or tests. @returns its file */
export async function buildProgram(file: string, directory: string): Promise<string> {
  const out = basename(file, '.ts');
  await build({ ...bundled(directory, [{ in: file, out }]), minify: false, sourcemap: false });
  return join(directory, `${out}.cjs`);
}
