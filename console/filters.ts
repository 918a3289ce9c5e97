import { changeQuery } from './route';

/** The filters of a list, which are in the view's URL and go to the API as they are. */
export interface Filters<Name extends string> {
  /** The list's path, with those that are set. */
  path: string;
  /** What a field needs to show and change one. */
  field(name: Name): { value: string; onInput: (value: string) => void };
}

/** @param list the list's path in the API. @param names of the filters, which are the same in both */
export function filtersOf<Name extends string>(
  query: URLSearchParams,
  list: string,
  names: readonly Name[],
): Filters<Name> {
  const given = names.flatMap((name) => {
    const value = query.get(name);
    return value ? [[name, value]] : [];
  });
  return {
    path: `${list}?${new URLSearchParams([['limit', '50'], ...given])}`,
    field: (name) => ({
      value: query.get(name) ?? '',
      onInput: (value) => changeQuery({ [name]: value.trim() }),
    }),
  };
}
