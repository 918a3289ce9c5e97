/** A user as the service hands it out. It has no password hash: that never leaves storage. */
export interface User {
  id: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  displayName: string | null;
  metadata: Record<string, unknown>;
  role: string;
  createdAt: string;
  updatedAt: string;
  version: number;
}
