import type { Alarms } from './alarms';
import type { Turn } from './turn';
import type { VirtualHost } from './vhost';

/** What connections share. */
export interface Shared {
  readonly vhosts: ReadonlyMap<string, VirtualHost>;
  readonly username: string;
  readonly password: string;
  readonly turn: Turn;
  readonly alarms: Alarms;
  readonly log: (line: string) => void;
  /** False once the broker stops: the connections' end must not change durable state then. */
  serving: boolean;
}
