import type { Webhook } from '../types';
import { State } from '../ui/state';
import { Time } from '../ui/time';

export function WebhookState({ webhook }: { webhook: Webhook }) {
  if (!webhook.enabled) return <State tone="quiet">disabled: {webhook.disabledReason}</State>;
  if (webhook.failingSince)
    return (
      <State tone="bad">
        failing since <Time at={webhook.failingSince} isRelative />
      </State>
    );
  return <State tone="good">works</State>;
}
