/** Messages between `npm start` and the process that answers HTTP. */
export type ToHost = { kind: 'load'; file: string } | { kind: 'injected'; id: string; done: boolean };
export type FromHost =
  | { kind: 'loaded'; failure: string | null }
  | { kind: 'fault'; id: string; name: string };
