import type { FieldError } from './errors';

const MAX_DEPTH = 32;
/** As many as anyone mends at a time. What repeats a request must not be larger than it. */
export const MAX_ERRORS = 50;
const MAX_PATH = 200;
/** PostgreSQL writes numbers out: 1e-300 takes 302 characters. */
const SMALLEST = 1e-20;

/**
 * What is valid JSON and yet cannot be stored as it was sent: PostgreSQL has no U+0000 and no lone surrogates, nesting
 * without end exhausts the stack of whoever prints it, and a double holds no integer beyond 2^53 - 1 for sure (RFC 7493,
 * section 2.2). Rounding never brings a larger one below that bound, so the parsed number tells.
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

/** Whether PostgreSQL takes it at all, with what rounding there was. */
export function isStorable(json: unknown): boolean {
  for (const { exact } of problemsOf(json)) if (!exact) return false;
  return true;
}

function* problemsOf(json: unknown): Generator<FieldError & { exact?: true }> {
  // A list of its own instead of recursion: this is the function that has to survive the depth.
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
          yield { path, message: 'must not have U+0000 or lone surrogates in a name' };
        // Cut at each step: a long name would come once for each of thousands of values below it.
        const childPath = cutPath(path ? `${path}.${key}` : key);
        // Consumers in JavaScript may assign what they read, and so set a prototype.
        if (key === '__proto__') yield { path: childPath, message: 'is not a name that a field may have' };
        open.push({ value: child, path: childPath, depth: depth + 1 });
      }
    }
  }
}

function problemOfNumber(value: number): string | null {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    return 'must be a number between -(2^53 - 1) and 2^53 - 1: send larger ones as text';
  if (value !== 0 && Math.abs(value) < SMALLEST) return `must not be closer to 0 than ${SMALLEST}`;
  return null;
}

export function cutPath(path: string): string {
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH - 1)}…` : path;
}

/** How many bytes JSON takes at least as PostgreSQL stores it, which writes 1e-7 as 0.0000001. */
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

/** The text as PostgreSQL can store it: what it has no place for becomes U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}
