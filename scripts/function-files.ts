import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export const ROOT = join(__dirname, '..');

/** Every function by its name: the base name of its file. */
export function functionFiles(): Map<string, string> {
  const files = readdirSync(join(ROOT, 'functions'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return new Map(files.sort().map((file) => [basename(file, '.ts'), join('functions', file)]));
}
