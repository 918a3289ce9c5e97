import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/**
 * A secret of this machine: created once, so that users stay logged in after a restart and keep their second factors.
 * @returns 32 random bytes in base64url
 */
export async function localSecret(dataDir: string, name: 'jwt-secret' | 'encryption-key'): Promise<string> {
  const file = join(dataDir, name);
  try {
    return await readFile(file, 'utf8');
  } catch {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    await mkdir(dataDir, { recursive: true });
    await writeFile(file, secret, { mode: 0o600 });
    return secret;
  }
}
