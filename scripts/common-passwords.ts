// Writes shared/passwords/common-passwords.ts anew: `node --import tsx scripts/common-passwords.ts`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionary } from '@zxcvbn-ts/language-common';
import { fingerprintOf } from '../shared/passwords/common';
import { MIN_PASSWORD_CHARACTERS } from '../shared/passwords/fields';
import { ROOT } from './bundle';

const COUNT = 5_000;

/** The most common passwords that would otherwise be long enough, the most common ones first. */
export function commonPasswords(): string[] {
  return dictionary['passwords-common']
    .map(String)
    .filter((password) => [...password].length >= MIN_PASSWORD_CHARACTERS)
    .slice(0, COUNT);
}

export function commonPasswordsFile(): string {
  const fingerprints = new Uint32Array(commonPasswords().map(fingerprintOf)).sort();
  const bytes = Buffer.alloc(fingerprints.length * 4);
  for (const [index, fingerprint] of fingerprints.entries()) bytes.writeUInt32BE(fingerprint, index * 4);
  return `// Made by scripts/common-passwords.ts from the password list of @zxcvbn-ts/language-common (MIT): the first ${COUNT}
// with at least ${MIN_PASSWORD_CHARACTERS} characters, as sorted fingerprints.
export const COMMON_PASSWORDS =
  '${bytes.toString('base64')}';
`;
}

if (require.main === module) {
  writeFileSync(join(ROOT, 'shared/passwords/common-passwords.ts'), commonPasswordsFile());
}
