import { useState } from 'preact/hooks';
import { BUILT_IN_ROLES, PERMISSIONS } from '../../shared/roles/permissions';
import { useCan } from '../me';
import { request } from '../session';
import type { Permission, RoleList } from '../types';
import { Loaded, View } from '../ui/content';
import { Action } from '../ui/dialog';
import { Check, Choices, Field } from '../ui/fields';
import { useNotify } from '../ui/notify';
import { Table } from '../ui/table';
import { useQuery } from '../use-query';

type Role = RoleList['roles'][number];

export function Roles() {
  const query = useQuery<RoleList>('roles');
  const can = useCan();
  const mayWrite = can('roles:write');
  return (
    <View title="Roles" actions={mayWrite && <EditRole label="New role" reload={query.reload} />}>
      <Loaded query={query}>
        {({ roles }) => (
          <Table
            caption="Roles"
            rows={roles}
            keyOf={({ name }) => name}
            columns={[
              { title: 'Name', cell: ({ name }) => name },
              {
                title: 'Second factor',
                cell: ({ requiresFactor }) => (requiresFactor ? 'required' : 'optional'),
              },
              { title: 'Permissions', cell: ({ permissions }) => permissions.join(', ') || 'none' },
              {
                title: 'Change',
                cell: (role) => mayWrite && <RoleActions role={role} reload={query.reload} />,
              },
            ]}
          />
        )}
      </Loaded>
    </View>
  );
}

const isBuiltIn = ({ name }: Role) => BUILT_IN_ROLES.includes(name);

function RoleActions({ role, reload }: { role: Role; reload: () => void }) {
  const notify = useNotify();
  const remove = async () => {
    await request('DELETE', `roles/${role.name}`);
    notify(`The role ${role.name} is deleted.`);
    reload();
  };
  return (
    <span class="actions">
      <EditRole label="Edit" role={role} reload={reload} />
      {!isBuiltIn(role) && (
        <Action label="Delete" title={`Delete the role ${role.name}`} kind="danger" onSubmit={remove}>
          <p>A role that users have cannot be deleted.</p>
        </Action>
      )}
    </span>
  );
}

function EditRole({ label, role, reload }: { label: string; role?: Role; reload: () => void }) {
  const [name, setName] = useState(role?.name ?? '');
  const [chosen, setChosen] = useState<Permission[]>(role?.permissions ?? []);
  const [requiresFactor, setRequiresFactor] = useState(role?.requiresFactor ?? false);
  const save = async () => {
    const body = { permissions: chosen, requiresFactor };
    await request('PUT', `roles/${encodeURIComponent(name.trim())}`, { body });
    reload();
  };
  return (
    <Action label={label} title={role ? `The role ${role.name}` : label} submit="Save" onSubmit={save}>
      {!role && <Field label="Name" value={name} onInput={setName} required />}
      {role && isBuiltIn(role) ? (
        <p class="hint">Its permissions are fixed.</p>
      ) : (
        <Choices legend="Permissions" options={PERMISSIONS} chosen={chosen} onChange={setChosen} />
      )}
      <Check
        label="Requires a second factor"
        checked={requiresFactor}
        onChange={() => setRequiresFactor(!requiresFactor)}
      />
    </Action>
  );
}
