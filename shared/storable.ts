import type { FieldError } from './errors';

const MAX_DEPTH = 32;

/**
 * What is valid JSON and yet can be stored nowhere: PostgreSQL has no U+0000 and no lone surrogates, and nesting
 * without end exhausts the stack of whoever prints it.
 */
export function findUnstorable(json: unknown): FieldError[] {
  const errors: FieldError[] = [];
  // A list of its own instead of recursion: this is the function that has to survive the depth.
  const open: { value: unknown; path: string; depth: number }[] = [{ value: json, path: '', depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { value, path, depth } = item;
    if (typeof value === 'string' && !isStorableText(value)) {
      errors.push({ path, message: 'must not contain U+0000 or lone surrogates' });
    } else if (typeof value === 'object' && value !== null) {
      if (depth === MAX_DEPTH)
        return [{ path: '', message: `must not be nested deeper than ${MAX_DEPTH} levels` }];
      for (const [key, child] of Object.entries(value)) {
        if (!isStorableText(key))
          errors.push({ path, message: 'must not have U+0000 or lone surrogates in a name' });
        open.push({ value: child, path: path ? `${path}.${key}` : key, depth: depth + 1 });
      }
    }
  }
  return errors;
}

function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** The text as PostgreSQL can store it: what it has no place for becomes U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}
