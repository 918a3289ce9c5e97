// `npm run asyncapi`: writes the event types' JSON Schemas, and the document that GET /asyncapi.json serves. It does not
// overwrite a published schema with one that would break consumers. A test fails if something is out of date.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncapiDocument } from './asyncapi/document';
import { currentSchemas, publishSchemas, SCHEMA_DIRECTORY } from './asyncapi/event-schemas';
import { ROOT } from './function-files';

async function main(): Promise<void> {
  const schemas = currentSchemas();
  try {
    publishSchemas(schemas);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return;
  }
  const file = join('shared', 'asyncapi', 'asyncapi.json');
  await writeFile(join(ROOT, file), `${JSON.stringify(asyncapiDocument(), null, 2)}\n`);
  console.log(`${SCHEMA_DIRECTORY}: ${schemas.size} event types; ${file}`);
}

void main();
