import { useState } from 'preact/hooks';
import { useCan } from '../me';
import { go } from '../route';
import { ApiError, request } from '../session';
import type { Erasure, User } from '../types';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';
import { useNotify } from '../ui/notify';
import { Remove } from '../users/remove';
import { type ChangeProps, Restore, Suspend } from '../users/suspension';
import { useRoles } from '../users/use-roles';

interface ActionProps {
  user: User;
  reload: () => void;
}

/** What an operator does with a user. Each change names the version that it was made on. */
export function UserActions({ user, reload }: ActionProps) {
  const notify = useNotify();
  const can = useCan();
  const change = async (path: string, body: unknown, done: string) => {
    await request('PUT', `users/${user.id}${path}`, { body, version: user.version }).catch(
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 412) throw new Error(OUTDATED);
        throw error;
      },
    );
    notify(done);
    reload();
  };
  const endAll = async () => {
    await request('DELETE', `users/${user.id}/sessions`);
    notify(`${user.username} is logged out everywhere.`);
    reload();
  };
  const remove = async () => {
    await request('DELETE', `users/${user.id}`, { version: user.version });
    notify(`${user.username} is deleted.`);
    go(['users']);
  };
  const erase = async () => {
    const { id } = await request<Erasure>('POST', `users/${user.id}/erasure`, { version: user.version });
    notify(`${user.username} is erased here. The case shows who else has erased them.`);
    go(can('erasures:read') ? ['erasures', id] : ['users']);
  };
  return (
    <>
      <Edit key={`edit${user.version}`} user={user} change={change} onClose={reload} />
      {user.email !== null && !user.emailVerified && (
        <Action
          label="Verify"
          title="Verify the address"
          onSubmit={() => change('', { emailVerified: true }, 'The address counts as verified.')}
        >
          <p>Do this only if you know that {user.email} belongs to this user.</p>
        </Action>
      )}
      <ChangeRole key={`role${user.version}`} user={user} change={change} onClose={reload} />
      <Action label="End sessions" onSubmit={endAll}>
        <p>{user.username} has to log in again on every device.</p>
      </Action>
      <Suspend key={`suspend${user.version}`} user={user} change={change} onClose={reload} />
      {user.suspension && <Restore user={user} reload={reload} />}
      <Remove
        user={user}
        remove={remove}
        label="Delete"
        about="The user and all sessions are deleted, and the personal data in the event log. This cannot be undone."
      />
      <Remove
        user={user}
        remove={erase}
        label="Erase everywhere"
        about="The user is deleted here, and every data holder is asked to erase what it holds. This cannot be undone."
      />
    </>
  );
}

const OUTDATED = 'Somebody else has changed this user meanwhile. Close this to see how it is now.';

function Edit({ user, change, onClose }: ChangeProps) {
  const [username, setUsername] = useState(user.username);
  const [email, setEmail] = useState(user.email ?? '');
  const [displayName, setDisplayName] = useState(user.displayName ?? '');
  const body = {
    ...(username !== user.username && { username }),
    ...(email !== (user.email ?? '') && { email }),
    ...(displayName !== (user.displayName ?? '') && { displayName: displayName || null }),
  };
  return (
    <Action
      label="Edit"
      onClose={onClose}
      submit="Save"
      onSubmit={() => change('', body, 'The changes are saved.')}
    >
      <Field label="Username" value={username} onInput={setUsername} required />
      <Field label="Email address" type="email" value={email} onInput={setEmail} />
      <Field label="Display name" value={displayName} onInput={setDisplayName} />
    </Action>
  );
}

function ChangeRole({ user, change, onClose }: ChangeProps) {
  const [role, setRole] = useState(user.role);
  const roles = useRoles();
  const can = useCan();
  if (!can('roles:write')) return null;
  return (
    <Action
      label="Change role"
      onClose={onClose}
      submit="Save"
      onSubmit={() => change('/role', { role }, `The role is ${role} now.`)}
    >
      <Field label="Role" value={role} onInput={setRole} options={roles} />
      <p class="hint">Access tokens have the new permissions at once.</p>
    </Action>
  );
}

export function EndSession({
  userId,
  sessionId,
  reload,
}: {
  userId: string;
  sessionId: string;
  reload: () => void;
}) {
  const can = useCan();
  const end = async () => {
    await request('DELETE', `users/${userId}/sessions/${sessionId}`);
    reload();
  };
  if (!can('users:write')) return null;
  return (
    <Action label="End" title="End the session" onSubmit={end}>
      <p>Its access tokens stop working at once.</p>
    </Action>
  );
}
