import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from '@valibot/to-json-schema';
import { EVENT_TYPES, eventSchema } from '../../shared/events/catalog';
import { ROOT } from '../function-files';
import { schemaOf } from '../openapi/json-schema';
import { breakingChanges } from './breaking-changes';

/** Published schemas: what consumers have been promised, a file per type and version. */
export const SCHEMA_DIRECTORY = join('docs', 'events', 'schemas');

const EXTENSION = '.json';

/** By event type. */
export type EventSchemas = Map<string, JsonSchema>;

/** The catalog's schemas, as JSON Schema. */
export function currentSchemas(): EventSchemas {
  return new Map(
    EVENT_TYPES.map((type) => [
      type,
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        $id: `urn:rollcall:event:${versioned(type)}`,
        title: type,
        ...schemaOf(eventSchema(type)),
      },
    ]),
  );
}

export function publishedSchemas(directory = join(ROOT, SCHEMA_DIRECTORY)): EventSchemas {
  const files = readdirSync(directory).filter((file) => file.endsWith(EXTENSION));
  return new Map(
    files.sort().map((file) => {
      const schema: JsonSchema = JSON.parse(readFileSync(join(directory, file), 'utf8'));
      return [schema.title ?? file, schema];
    }),
  );
}

export function fileOf(type: string): string {
  return `${versioned(type)}${EXTENSION}`;
}

function textOf(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/**
 * Writes the schemas, all or none.
 * @throws Error where one would break the consumers of what is there
 */
export function publishSchemas(schemas: EventSchemas, directory = join(ROOT, SCHEMA_DIRECTORY)): void {
  mkdirSync(directory, { recursive: true });
  const { broken } = comparePublished(publishedSchemas(directory), schemas);
  if (broken.length > 0) throw new Error(`Nothing was written. ${broken.join('\n\n')}`);
  for (const [type, schema] of schemas) writeFileSync(join(directory, fileOf(type)), textOf(schema));
}

/** `user.created` is the first version of itself; what replaces it one day is the type `user.created.v2`. */
function versioned(type: string): string {
  return /\.v\d+$/.test(type) ? type : `${type}.v1`;
}

/**
 * Whether the catalog keeps what was published.
 * @returns `broken`: what would break consumers, with what to do instead; `stale`: what only has to be written anew
 */
export function comparePublished(published: EventSchemas, current: EventSchemas) {
  const broken: string[] = [];
  const stale: string[] = [];
  for (const [type, schema] of published) {
    const now = current.get(type);
    if (!now) {
      broken.push(
        `${type} is published and no longer in the catalog. Consumers may be bound to it: keep the type while any is, then delete ${SCHEMA_DIRECTORY}/${fileOf(type)}.`,
      );
      continue;
    }
    const problems = breakingChanges(schema, now);
    if (problems.length > 0) {
      broken.push(
        `${type} would break its consumers:\n${problems.map((problem) => `  ${problem}`).join('\n')}\nLeave it as it is. Add what is new as a field of its own, or as a type of its own (${nextVersion(type)}), and append both events while consumers move.`,
      );
    } else if (textOf(schema) !== textOf(now)) stale.push(`${type} has changed, and nobody breaks`);
  }
  for (const type of current.keys()) if (!published.has(type)) stale.push(`${type} is not published yet`);
  return { broken, stale: stale.map((reason) => `${reason}: run \`npm run asyncapi\``) };
}

function nextVersion(type: string): string {
  const [, base = '', version = '1'] = /^(.*)\.v(\d+)$/.exec(versioned(type)) ?? [];
  return `${base}.v${Number(version) + 1}`;
}
