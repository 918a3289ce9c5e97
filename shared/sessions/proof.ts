import type { Tx } from '../db/connection';
import type { User } from '../users/user';

/**
 * Authentication method reference (RFC 8176 and its registry): `pwd` for a password, `otp` for a code of any kind, `pop` and
 * `user` for a passkey that has verified its user, `mfa` for several factors.
 */
export type AuthenticationMethod = 'pwd' | 'otp' | 'pop' | 'user' | 'mfa';

/** What can be sent as the second factor. */
export type SecondFactor = 'totp' | 'recovery_code' | 'passkey';

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

/** The proof of one factor, which is not enough to sign in if the user has a second one. */
export interface FirstFactorProof extends UserProof {
  /** The hash of the user's password, null without one. The second step is void if it has changed since. */
  readonly hash: string | null;
  /** What the user can send as the second factor; empty if they have none. */
  readonly factors: readonly SecondFactor[];
  onSignIn(tx: Tx): Promise<void>;
}

/** Whether several factors were proven. */
export function isMultiFactor(amr: readonly string[]): boolean {
  return amr.includes('mfa');
}

/** Authentication context class (`acr`): the level of NIST SP 800-63B that the methods reach. */
export function contextClassOf(amr: readonly string[]): 'aal1' | 'aal2' {
  return isMultiFactor(amr) ? 'aal2' : 'aal1';
}
