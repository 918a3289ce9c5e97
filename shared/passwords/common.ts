import { brotliDecompressSync } from 'node:zlib';
import { COMMON_PASSWORDS } from './common-passwords';
import { isPattern } from './patterns';

let common: Set<string> | undefined;

/**
 * Whether it is a common password or a pattern: in any case, with look-alike characters (`p@ssw0rd`), or with a few
 * characters around it (`password!`).
 */
export function isCommonPassword(password: string): boolean {
  common ??= new Set(brotliDecompressSync(Buffer.from(COMMON_PASSWORDS, 'base64')).toString().split('\n'));
  return isPattern(fold(password)) || common.has(coreOf(password));
}

/** Digits and signs before and after a word. */
const AFFIXED = /^(\P{L}{0,3})(.*?)(\P{L}{0,4})$/su;
const MAX_AFFIXES = 4;
const MIN_CORE = 4;

const LOOKALIKES: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '0': 'o',
  '1': 'i',
  '!': 'i',
  $: 's',
  '5': 's',
  '3': 'e',
  '7': 't',
};

/** The word within a password, in the form that the list contains. */
export function coreOf(password: string): string {
  const folded = fold(password);
  const [, before = '', word = '', behind = ''] = AFFIXED.exec(folded) ?? [];
  const affixed = word.length >= MIN_CORE && before.length + behind.length <= MAX_AFFIXES;
  return (affixed ? word : folded).replace(/[@401!$537]/g, (sign) => LOOKALIKES[sign] ?? sign);
}

/** Folds case and width (U+FF41 to "a"). */
export function fold(password: string): string {
  return password.normalize('NFKC').toLowerCase();
}
