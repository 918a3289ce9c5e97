import { statSync } from 'node:fs';
import { buildFunctions, buildServe } from './bundle';

async function main(): Promise<void> {
  const startedAt = performance.now();
  const [outputs] = await Promise.all([buildFunctions(), buildServe()]);
  const bundles = Object.keys(outputs).filter((file) => file.endsWith('.cjs'));
  const bytes = bundles.reduce((sum, file) => sum + statSync(file).size, 0);
  const ms = Math.round(performance.now() - startedAt);
  console.log(`${bundles.length} functions and the server, ${Math.round(bytes / 1024)} KB, in ${ms} ms`);
}

void main();
