// `npm run openapi`: writes the document that GET /openapi.json serves. A test fails where it is not up to date.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './bundle';
import { openapiDocument } from './openapi/document';

async function main(): Promise<void> {
  const document = await openapiDocument();
  const file = join('shared', 'openapi', 'openapi.json');
  await writeFile(join(ROOT, file), `${JSON.stringify(document, null, 2)}\n`);
  console.log(`${file}: ${Object.keys(document.paths).length} paths`);
}

void main();
