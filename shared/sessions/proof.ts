import type { Tx } from '../db/connection';
import type { User } from '../users/user';

/** Authentication method reference (RFC 8176). */
export type AuthenticationMethod = 'pwd';

/** Result of an authentication: when, and by which methods. */
export interface Proof {
  at: Date;
  amr: readonly AuthenticationMethod[];
}

/** What a sign-in method yields for a user. Sessions are opened only from such a proof. */
export interface UserProof extends Proof {
  /** The user as of the check. The proof is void if the user's version has changed since. */
  user: User;
  rolePermissions: string[];
  /** Called in the transaction that opens the session. */
  onSignIn?(tx: Tx): Promise<void>;
}
