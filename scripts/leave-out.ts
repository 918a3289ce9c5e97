import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Code of packages that no function calls: a fifth of the bundle of every function that reads the database. The bundler
 * cannot detect it, because it is reachable from objects that are used: `db.schema`, `pg.native`.
 */
const UNUSED = [
  // `db.schema`, the builders for create and alter table: the migrations are SQL.
  'kysely/dist/esm/schema/schema.js',
  // `db.withSchema()`, and with it the machinery that rewrites whole query trees.
  'kysely/dist/esm/plugin/with-schema/with-schema-plugin.js',
  // `db.introspection`, reading the catalog.
  'kysely/dist/esm/dialect/postgres/postgres-introspector.js',
  // `db.mergeInto()`: the stores use `insert … on conflict`.
  'kysely/dist/esm/query-builder/merge-query-builder.js',
  // `eb.case()` and `eb.ref(column, '->')`: what needs them is written as SQL.
  'kysely/dist/esm/query-builder/case-builder.js',
  'kysely/dist/esm/query-builder/json-path-builder.js',
  // `over()`: no store has a window function.
  'kysely/dist/esm/query-builder/over-builder.js',
  // `pg.native`, the client for an add-on that is not installed.
  'pg/lib/native/index.js',
  // `~/.pgpass`, where pg looks for a password that the URL lacks: an archive has no such file.
  'pgpass/lib/index.js',
];

/** amqplib connects again by itself if it is asked to. Rollcall does not ask: `shared/broker/` knows when it may. */
const NO_RECOVERY = `
  exports.splitConnectionOptions = (connectionOptions) => ({ connectionOptions, recovery: null });
  exports.recoveryEnabled = () => false;`;

/** Parsing certificates, for channel binding (`SCRAM-SHA-256-PLUS`): pg does it only if it is told to, and is not. */
const NO_CHANNEL_BINDING = `
  exports.signatureAlgorithmHashFromCertificate = () => {
    throw new Error('Channel binding is left out: see scripts/leave-out.ts');
  };`;

/** Parsers for results in PostgreSQL's binary format: pg gets text unless a query asks for `binary`, and none does. */
const NO_BINARY_RESULTS = 'exports.init = () => {};';

/** Replaces these modules by classes that throw when they are used. */
export const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/amqplib\/lib\/recovery\.js$/ }, () => ({
      contents: NO_RECOVERY,
    }));
    builder.onLoad({ filter: /node_modules\/pg\/lib\/crypto\/cert-signatures\.js$/ }, () => ({
      contents: NO_CHANNEL_BINDING,
    }));
    builder.onLoad({ filter: /node_modules\/pg-types\/lib\/binaryParsers\.js$/ }, () => ({
      contents: NO_BINARY_RESULTS,
    }));
    const filter = new RegExp(`node_modules/(${UNUSED.join('|')})$`.replaceAll('.', '\\.'));
    builder.onLoad({ filter }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const names = [...source.matchAll(/^export class (\w+)/gm)].map(([, name]) => name);
      const message = JSON.stringify(`${basename(path)} is left out: see scripts/leave-out.ts`);
      return names.length === 0
        ? { contents: `throw new Error(${message});` }
        : {
            contents: names
              .map((name) => `export class ${name} { constructor() { throw new Error(${message}); } }`)
              .join('\n'),
          };
    });
  },
};
