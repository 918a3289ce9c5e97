/** A user as the service hands it out. It has no password hash: that never leaves storage. */
export interface User {
  id: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  /** What is to become the address once it is proven. Until then it gets no mail but that which asks for the proof. */
  pendingEmail: string | null;
  displayName: string | null;
  metadata: Record<string, unknown>;
  role: string;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** Fields that are left out stay as they are. */
export type UserUpdate = Partial<Pick<User, 'username' | 'email' | 'displayName' | 'metadata'>> & {
  /** Gives up an address that waits to be proven. */
  pendingEmail?: null;
};
