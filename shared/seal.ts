import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** A key for AES-256-GCM, with the id by which a sealed value names it. */
export interface EncryptionKey {
  id: Buffer;
  key: Buffer;
}

/** What `open` returns. */
export interface Opened {
  plain: Buffer;
  /** Whether it is sealed with the first key; if not, seal it again, so that the old key can be removed. */
  isCurrent: boolean;
}

const ALGORITHM = 'aes-256-gcm';
const ID_BYTES = 4;
/** NIST SP 800-38D, section 8.2.2: a random nonce of 96 bits is safe for 2^32 values under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param text 32 bytes in base64 or base64url. @throws Error describing a valid key, without repeating any of it */
export function parseEncryptionKey(text: string): EncryptionKey {
  if (!/^[A-Za-z\d+/_-]{43}=?$/.test(text)) {
    throw new Error('must be 32 bytes in base64: create one with openssl rand -base64 32');
  }
  const key = Buffer.from(text, 'base64');
  return { id: createHash('sha256').update(key).digest().subarray(0, ID_BYTES), key };
}

/**
 * Encrypts with the first key (AES-256-GCM): key id, nonce, tag and ciphertext.
 * @param owner the id of the record that it belongs to, so that it cannot be moved to another record
 * @throws Error without a key
 */
export function seal(keys: readonly EncryptionKey[], plain: Buffer, owner: string): Buffer {
  const [current] = keys;
  if (!current) throw new Error('There is no encryption key');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, current.key, nonce).setAAD(Buffer.from(owner));
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([current.id, nonce, cipher.getAuthTag(), encrypted]);
}

/** Decrypts what any of the keys sealed. @throws Error if its key is missing, or if it was altered or moved */
export function open(keys: readonly EncryptionKey[], sealed: Buffer, owner: string): Opened {
  const id = sealed.subarray(0, ID_BYTES);
  const index = keys.findIndex((key) => key.id.equals(id));
  const found = keys[index];
  if (!found) throw new Error(`ENCRYPTION_KEYS lacks the key ${id.toString('hex')}`);
  const [tagAt, textAt] = [ID_BYTES + NONCE_BYTES, ID_BYTES + NONCE_BYTES + TAG_BYTES];
  const decipher = createDecipheriv(ALGORITHM, found.key, sealed.subarray(ID_BYTES, tagAt), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(owner))
    .setAuthTag(sealed.subarray(tagAt, textAt));
  const plain = Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]);
  return { plain, isCurrent: index === 0 };
}
