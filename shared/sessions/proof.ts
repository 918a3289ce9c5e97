import type { Tx } from '../db/connection';
import type { User } from '../users/user';

/** Authentication method reference (RFC 8176): `otp` for a code of either kind, `mfa` for several factors. */
export type AuthenticationMethod = 'pwd' | 'otp' | 'mfa';

/** What can be sent as the second factor. */
export type SecondFactor = 'totp' | 'recovery_code';

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
