import type { Binding, Exchange } from './exchange';
import type { Queue } from './queue';
import type { Entry } from './ready-list';

/** A change of a virtual host, which it reports so that storage can record it. */
export type Change =
  | { readonly op: 'exchange' | 'exchange-delete'; readonly exchange: Exchange }
  | { readonly op: 'queue' | 'queue-delete'; readonly queue: Queue }
  | { readonly op: 'bind' | 'unbind'; readonly source: Exchange; readonly binding: Binding }
  | { readonly op: 'add'; readonly queue: Queue; readonly entry: Entry }
  | { readonly op: 'remove'; readonly queue: Queue; readonly entries: readonly Entry[] };
