import * as v from 'valibot';

/** So many code points: an emoji is one, where `length` counts the two UTF-16 units that it is made of. */
export function characters(text: string): number {
  return [...text].length;
}

/**
 * At most so many characters, counted as JSON Schema counts `maxLength` (Validation, section 6.3.1; RFC 8259), so that
 * a client that checks by our document comes to the same end.
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

/** PostgreSQL's lower() in collation "C": what is not ASCII stays as it is, and so matches no stored name. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
