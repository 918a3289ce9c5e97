// `npm run openapi`: writes the document that GET /openapi.json serves, and its table of statuses in docs/. Tests fail if
// either is not up to date.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './function-files';
import { openapiDocument } from './openapi/document';
import { statusTable } from './openapi/status-table';

async function main(): Promise<void> {
  const document = await openapiDocument();
  const file = join('shared', 'openapi', 'openapi.json');
  await writeFile(join(ROOT, file), `${JSON.stringify(document, null, 2)}\n`);
  const table = join('docs', 'status-codes.md');
  await writeFile(join(ROOT, table), statusTable(document));
  console.log(`${file}: ${Object.keys(document.paths).length} paths; ${table}`);
}

void main();
