import type { Suspension } from './suspension';

/** A user as the service returns it. Contains no password hash, which never leaves storage. */
export interface User {
  id: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  /** The new address until it is verified. Until then it gets no emails except the verification email. */
  pendingEmail: string | null;
  displayName: string | null;
  metadata: Record<string, unknown>;
  role: string;
  createdAt: string;
  updatedAt: string;
  version: number;
  /** As stored: `activeSuspension` says whether it is in force. */
  suspension: Suspension | null;
}

/** Omitted fields keep their values. */
export type UserUpdate = Partial<Pick<User, 'username' | 'email' | 'displayName' | 'metadata'>> & {
  /** Cancels a pending address change. */
  pendingEmail?: null;
  /** Verifies the address, which is the new one if that changes too. For callers with `users:write`. */
  emailVerified?: true;
};
