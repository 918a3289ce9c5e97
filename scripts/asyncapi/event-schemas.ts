import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from '@valibot/to-json-schema';
import { EVENT_TYPES, eventSchema } from '../../shared/events/catalog';
import { ROOT } from '../function-files';
import { schemaOf } from '../openapi/json-schema';
import { breakingChanges } from './breaking-changes';

/** The published schemas, which are the contract with consumers: a file per type and version. */
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
 * Writes all schemas, or none.
 * @throws Error if one would break the consumers of a published schema
 */
export function publishSchemas(schemas: EventSchemas, directory = join(ROOT, SCHEMA_DIRECTORY)): void {
  mkdirSync(directory, { recursive: true });
  const { broken } = comparePublished(publishedSchemas(directory), schemas);
  if (broken.length > 0) throw new Error(`Nothing was written. ${broken.join('\n\n')}`);
  for (const [type, schema] of schemas) writeFileSync(join(directory, fileOf(type)), textOf(schema));
}

/** `user.created` is version 1; a version 2 would be the type `user.created.v2`. */
function versioned(type: string): string {
  return /\.v\d+$/.test(type) ? type : `${type}.v1`;
}

/**
 * Compares the catalog with the published schemas.
 * @returns `broken`: changes that would break consumers, with what to do instead; `stale`: schemas to write again
 */
export function comparePublished(published: EventSchemas, current: EventSchemas) {
  const broken: string[] = [];
  const stale: string[] = [];
  for (const [type, schema] of published) {
    const now = current.get(type);
    if (!now) {
      broken.push(
        `${type} is published and no longer in the catalog. Keep the type while consumers are bound to it, then delete ${SCHEMA_DIRECTORY}/${fileOf(type)}.`,
      );
      continue;
    }
    const problems = breakingChanges(schema, now);
    if (problems.length > 0) {
      broken.push(
        `${type} would break its consumers:\n${problems.map((problem) => `  ${problem}`).join('\n')}\nLeave it as it is. Add a new field, or a new type (${nextVersion(type)}), and append both events while consumers move.`,
      );
    } else if (textOf(schema) !== textOf(now)) stale.push(`${type} has changed without breaking consumers`);
  }
  for (const type of current.keys()) if (!published.has(type)) stale.push(`${type} is not published yet`);
  return { broken, stale: stale.map((reason) => `${reason}: run \`npm run asyncapi\``) };
}

function nextVersion(type: string): string {
  const [, base = '', version = '1'] = /^(.*)\.v(\d+)$/.exec(versioned(type)) ?? [];
  return `${base}.v${Number(version) + 1}`;
}
