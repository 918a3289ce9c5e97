import type { User } from '../types';
import { State } from '../ui/state';

export function Verified({ user: { email, emailVerified } }: { user: User }) {
  if (email === null) return <State tone="quiet">no address</State>;
  return emailVerified ? <State tone="good">verified</State> : <State tone="busy">not verified</State>;
}
