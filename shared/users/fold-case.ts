/** PostgreSQL's lower() in collation "C": what is not ASCII stays as it is, and so matches no stored name. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
