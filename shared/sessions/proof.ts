import type { Tx } from '../db/connection';
import type { User } from '../users/user';

/** How somebody has proven who they are (RFC 8176). */
export type AuthenticationMethod = 'pwd';

/** That somebody has proven who they are, when, and by which methods. */
export interface Proof {
  at: Date;
  amr: readonly AuthenticationMethod[];
}

/** What a method of signing in establishes: whose proof it is. A session is opened with nothing else. */
export interface UserProof extends Proof {
  /** As the user was when it was checked: of a later version, it proves nothing any more. */
  user: User;
  rolePermissions: string[];
  /** What the method has to write down with the session that is opened. */
  settle?(tx: Tx): Promise<void>;
}
