import * as v from 'valibot';

/** Number of code points. An emoji counts as one, although it has a `length` of 2. */
export function characters(text: string): number {
  return [...text].length;
}

/**
 * Limits the number of characters, counted as JSON Schema counts `maxLength` (Validation, section 6.3.1; RFC 8259), so
 * that clients that validate by our OpenAPI document get the same result.
 */
export const maxCharacters = (max: number) =>
  [
    v.metadata<string, { maxLength: number }>({ maxLength: max }),
    v.rawCheck<string>(({ dataset, addIssue }) => {
      if (dataset.typed && characters(dataset.value) > max) {
        addIssue({ message: `must be at most ${max} characters` });
      }
    }),
  ] as const;

/** Like PostgreSQL's lower() in collation "C": changes ASCII letters only. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
