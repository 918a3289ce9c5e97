import type { ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { localInput } from '../format';
import { MeContext } from '../me';
import { request } from '../session';
import type { User } from '../types';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';
import { useNotify } from '../ui/notify';
import { State } from '../ui/state';
import { Time } from '../ui/time';

export interface ChangeProps {
  user: User;
  change: (path: string, body: unknown, done: string) => Promise<void>;
  onClose: () => void;
}

export function suspensionFacts({ suspension }: User): [string, ComponentChildren][] {
  if (suspension === null) return [];
  const { since, until, reason } = suspension;
  const end = until === null ? 'restored by somebody' : <Time key="until" at={until} />;
  return [
    [
      'Suspended',
      <State key="suspended" tone="bad">
        since <Time at={since} />
      </State>,
    ],
    ['Suspended until', end],
    ['Reason', reason ?? 'none'],
  ];
}

/** Suspends the user, or changes the suspension. */
export function Suspend({ user, change, onClose }: ChangeProps) {
  const me = useContext(MeContext);
  const [reason, setReason] = useState(user.suspension?.reason ?? '');
  const [until, setUntil] = useState(localInput(user.suspension?.until ?? ''));
  if (me?.id === user.id) return null;
  const body = { reason: reason.trim() || null, until: until ? new Date(until).toISOString() : null };
  return (
    <Action
      label={user.suspension ? 'Change suspension' : 'Suspend'}
      title={`Suspend ${user.username}`}
      submit="Suspend"
      kind="danger"
      onClose={onClose}
      onSubmit={() => change('/suspension', body, `${user.username} is suspended.`)}
    >
      <p>The user is logged out everywhere, cannot log in, and gets a mail that says so.</p>
      <Field label="Reason" value={reason} onInput={setReason} hint="The user does not see it." />
      <Field
        label="Until"
        type="datetime-local"
        value={until}
        onInput={setUntil}
        hint="Empty: until somebody restores the user."
      />
    </Action>
  );
}

export function Restore({ user, reload }: { user: User; reload: () => void }) {
  const notify = useNotify();
  const restore = async () => {
    await request('DELETE', `users/${user.id}/suspension`, { version: user.version });
    notify(`${user.username} is restored.`);
    reload();
  };
  return (
    <Action label="Restore" title={`Restore ${user.username}`} onSubmit={restore}>
      <p>The user can log in again, and gets a mail that says so.</p>
    </Action>
  );
}
