import { useState } from 'preact/hooks';
import type { User } from '../types';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';

interface RemoveProps {
  user: User;
  remove: () => Promise<void>;
  label: string;
  about: string;
}

/** Actions that cannot be undone: the operator types the username to confirm. */
export function Remove({ user, remove, label, about }: RemoveProps) {
  const [typed, setTyped] = useState('');
  const submit = async () => {
    if (typed !== user.username) throw new Error('This is not the username.');
    await remove();
  };
  return (
    <Action label={label} title={`${label}: ${user.username}`} kind="danger" onSubmit={submit}>
      <p>{about}</p>
      <Field label={`Type ${user.username} to confirm`} value={typed} onInput={setTyped} autocomplete="off" />
    </Action>
  );
}
