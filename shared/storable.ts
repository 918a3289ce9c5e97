import type { FieldError } from './errors';

const MAX_DEPTH = 32;
/** Limits the size of the response: it must not be larger than the request. */
export const MAX_ERRORS = 50;
const MAX_PATH = 200;
/** PostgreSQL writes numbers out: 1e-300 takes 302 characters. */
const SMALLEST = 1e-20;

/**
 * Finds what is valid JSON but cannot be stored unchanged: PostgreSQL does not support U+0000 and lone surrogates, deep
 * nesting exhausts the stack of whatever prints it, and doubles are not exact for integers beyond 2^53 - 1 (RFC 7493,
 * section 2.2). Parsing never rounds such an integer below that bound, so checking the parsed number is enough.
 * @returns at most `MAX_ERRORS` problems, with paths cut to 200 characters
 */
export function findUnstorable(json: unknown): FieldError[] {
  const errors: FieldError[] = [];
  for (const { path, message } of problemsOf(json)) {
    errors.push({ path, message });
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}

/** Whether PostgreSQL can store it, even if numbers are rounded. */
export function isStorable(json: unknown): boolean {
  for (const { exact } of problemsOf(json)) if (!exact) return false;
  return true;
}

function* problemsOf(json: unknown): Generator<FieldError & { exact?: true }> {
  // An explicit stack instead of recursion, so that deep nesting does not overflow the call stack.
  const open: { value: unknown; path: string; depth: number }[] = [{ value: json, path: '', depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { value, path, depth } = item;
    if (typeof value === 'string' && !isStorableText(value)) {
      yield { path, message: 'must not contain U+0000 or lone surrogates' };
    } else if (typeof value === 'number') {
      const message = problemOfNumber(value);
      if (message !== null) yield { path, message, exact: true };
    } else if (typeof value === 'object' && value !== null) {
      if (depth === MAX_DEPTH) {
        yield { path: '', message: `must not be nested deeper than ${MAX_DEPTH} levels` };
        return;
      }
      for (const [key, child] of Object.entries(value)) {
        if (!isStorableText(key))
          yield { path, message: 'must not have field names with U+0000 or lone surrogates' };
        // Cut at every level: otherwise a long name is repeated in the path of each of thousands of values below it.
        const childPath = cutPath(path ? `${path}.${key}` : key);
        // Assigning this field to an object would set the prototype in JavaScript consumers.
        if (key === '__proto__') yield { path: childPath, message: 'is not an allowed field name' };
        open.push({ value: child, path: childPath, depth: depth + 1 });
      }
    }
  }
}

function problemOfNumber(value: number): string | null {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    return 'must be between -(2^53 - 1) and 2^53 - 1; send larger numbers as strings';
  if (value !== 0 && Math.abs(value) < SMALLEST) return `must not be closer to 0 than ${SMALLEST}`;
  return null;
}

export function cutPath(path: string): string {
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH - 1)}…` : path;
}

/** Minimum size of JSON in bytes as PostgreSQL stores it, which writes 1e-7 as 0.0000001. */
export function storedBytes(json: unknown): number {
  let zeros = 0;
  const text = JSON.stringify(json, (_key, value) => {
    const exponent = typeof value === 'number' ? /e-(\d+)$/.exec(String(value))?.[1] : undefined;
    zeros += Number(exponent ?? 0);
    return value;
  });
  return Buffer.byteLength(text) + zeros;
}

function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** Replaces characters that PostgreSQL cannot store with U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}
