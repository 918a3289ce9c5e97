import { useState } from 'preact/hooks';
import { useCan } from '../me';
import { changeQuery, go, href } from '../route';
import { request } from '../session';
import type { User, UserList } from '../types';
import { View } from '../ui/content';
import { Action } from '../ui/dialog';
import { Field } from '../ui/fields';
import { PagedTable } from '../ui/table';
import { Time } from '../ui/time';
import { usePages } from '../use-query';
import { useRoles } from '../users/use-roles';
import { Verified } from '../users/verified';
import { UserView } from './user';
import type { ViewProps } from './view-props';

const TYPED_MS = 250;

export function Users({ args: [id], query }: ViewProps) {
  return id === undefined ? (
    <List q={query.get('q') ?? ''} role={query.get('role') ?? ''} />
  ) : (
    <UserView id={id} />
  );
}

let typing: ReturnType<typeof setTimeout> | undefined;

function List({ q, role }: { q: string; role: string }) {
  const [typed, setTyped] = useState(q);
  const pages = usePages<UserList>(
    `users?${new URLSearchParams({ limit: '50', ...(q && { q }), ...(role && { role }) })}`,
  );
  const roles = useRoles();
  const can = useCan();
  const search = (value: string) => {
    setTyped(value);
    clearTimeout(typing);
    typing = setTimeout(() => changeQuery({ q: value.trim() }), TYPED_MS);
  };
  return (
    <View title="Users" actions={can('users:write') && <CreateUser />}>
      <search class="filters">
        <Field label="Username or email address" type="search" value={typed} onInput={search} />
        <Field
          label="Role"
          value={role}
          onInput={(value) => changeQuery({ role: value })}
          options={[['', 'any'], ...roles]}
        />
      </search>
      <PagedTable
        caption="Users"
        pages={pages}
        rowsOf={({ users }) => users}
        keyOf={({ id }) => id}
        empty="No user matches."
        columns={[
          { title: 'Username', cell: ({ id, username }) => <a href={href(['users', id])}>{username}</a> },
          { title: 'Email address', cell: ({ email }) => email ?? 'none' },
          { title: 'Verified', cell: (user) => <Verified user={user} /> },
          { title: 'Role', cell: (user) => user.role },
          { title: 'Registered', cell: ({ createdAt }) => <Time at={createdAt} /> },
        ]}
      />
    </View>
  );
}

function CreateUser() {
  const [user, setUser] = useState({ username: '', email: '', password: '' });
  const field = (name: keyof typeof user) => ({
    value: user[name],
    onInput: (value: string) => setUser({ ...user, [name]: value }),
  });
  const create = async () => {
    const { email, ...rest } = user;
    const created = await request<{ user: User }>('POST', 'register', {
      body: { ...rest, ...(email && { email }) },
    });
    go(['users', created.user.id]);
  };
  return (
    <Action label="New user" submit="Create" onSubmit={create}>
      <Field label="Username" required autocomplete="off" {...field('username')} />
      <Field label="Email address" type="email" autocomplete="off" {...field('email')} />
      <Field label="Password" type="password" required autocomplete="new-password" {...field('password')} />
    </Action>
  );
}
