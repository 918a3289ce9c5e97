import type { ComponentType } from 'preact';
import type { Permission } from '../types';
import { Audit } from './audit';
import { DeadLetters } from './dead-letters';
import { Erasures } from './erasures';
import { Events } from './events';
import { Faults } from './faults';
import { Now } from './now';
import { Replays } from './replays';
import { Roles } from './roles';
import { Users } from './users';
import type { ViewProps } from './view-props';
import { Webhooks } from './webhooks';

interface View {
  /** The first part of the path. */
  name: string;
  title: string;
  View: ComponentType<ViewProps>;
  needs?: Permission;
}

export const VIEWS: View[] = [
  { name: 'now', title: 'Now', View: Now },
  { name: 'events', title: 'Events', View: Events, needs: 'events:read' },
  { name: 'dead-letters', title: 'Dead letters', View: DeadLetters, needs: 'events:read' },
  { name: 'replays', title: 'Replays', View: Replays, needs: 'events:read' },
  { name: 'users', title: 'Users', View: Users, needs: 'users:read' },
  { name: 'erasures', title: 'Erasures', View: Erasures, needs: 'erasures:read' },
  { name: 'webhooks', title: 'Webhooks', View: Webhooks, needs: 'webhooks:read' },
  { name: 'audit', title: 'Audit', View: Audit, needs: 'audit:read' },
  { name: 'roles', title: 'Roles', View: Roles, needs: 'roles:read' },
  { name: 'faults', title: 'Faults', View: Faults, needs: 'events:write' },
];
