import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import {
  comparePublished,
  currentSchemas,
  type EventSchemas,
  fileOf,
  publishedSchemas,
  publishSchemas,
} from '../../../scripts/asyncapi/event-schemas';
import { testContext } from '../../setup/context';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, registerPerson } from '../../setup/people';

const published = publishedSchemas();

test('the catalog breaks no consumer of what is published', () => {
  expect(comparePublished(published, currentSchemas()).broken).toEqual([]);
});

test('what is published is up to date', () => {
  expect(comparePublished(published, currentSchemas()).stale).toEqual([]);
});

/** What would be published had the catalog this type, changed by hand. */
function withChanged(
  type: string,
  change: (properties: Record<string, unknown>, schema: object) => void,
): EventSchemas {
  const schemas = new Map(structuredClone([...published]));
  const data = schemas.get(type)?.properties?.['data'];
  if (typeof data !== 'object' || !data.properties) throw new Error(`No data of ${type}`);
  change(data.properties, data);
  return schemas;
}

test('a change that breaks consumers is refused, with what to do instead', () => {
  const current = withChanged('user.created', (properties) => {
    properties['username'] = { type: ['string', 'null'] };
  });
  const { broken, stale } = comparePublished(published, current);
  expect(stale).toEqual([]);
  expect(broken).toHaveLength(1);
  expect(broken[0]).toMatch(
    /^user\.created would break its consumers:\n {2}data\.username can be null, and was string\n/,
  );
  expect(broken[0]).toContain('a new type (user.created.v2)');
});

test('a change that breaks nobody has to be published by the script', () => {
  const current = withChanged('user.deleted', (properties) => {
    properties['reason'] = { type: 'string' };
  });
  const { broken, stale } = comparePublished(published, current);
  expect(broken).toEqual([]);
  expect(stale).toEqual(['user.deleted has changed without breaking consumers: run `npm run asyncapi`']);
});

test('a type that is gone breaks its consumers, a new one waits for the script', () => {
  const current = new Map(published);
  const schema = current.get('user.deleted') ?? {};
  current.delete('user.deleted');
  current.set('user.left', schema);
  const { broken, stale } = comparePublished(published, current);
  expect(broken).toEqual([expect.stringContaining('user.deleted is published and no longer in the catalog')]);
  expect(stale).toEqual(['user.left is not published yet: run `npm run asyncapi`']);
});

test('publishing writes nothing where one of the types would break its consumers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-schemas-'));
  publishSchemas(published, directory);
  expect(publishedSchemas(directory)).toEqual(published);
  const breaking = withChanged('user.role_changed', (properties) => {
    delete properties['to'];
  });
  breaking.set('user.left', { title: 'user.left', type: 'object' });
  expect(() => publishSchemas(breaking, directory)).toThrow(
    /^Nothing was written\. user\.role_changed would break/,
  );
  expect(publishedSchemas(directory)).toEqual(published);
  rmSync(directory, { recursive: true });
});

test('a version is part of the name of the type, and 1 where it is not', () => {
  expect([fileOf('user.created'), fileOf('user.created.v2')]).toEqual([
    'user.created.v1.json',
    'user.created.v2.json',
  ]);
});

test('events as they are published are valid by their schema', async () => {
  const ctx = await testContext();
  const admin = await logInAdmin(ctx);
  const { user, accessToken: token } = await registerPerson(ctx);
  const me = { params: { id: 'me' }, token };
  const newPassword = 'quite another password';
  const { body: renewed } = await call(changePassword, ctx, {
    ...me,
    method: 'PUT',
    body: { currentPassword: PASSWORD, newPassword },
  });
  me.token = renewed.accessToken;
  await call(updateUser, ctx, { ...me, method: 'PUT', body: { displayName: 'G', metadata: { a: [1] } } });
  const before = await storedEvents(ctx);
  await call(deleteUser, ctx, { method: 'DELETE', params: { id: user.id }, token: admin.accessToken });
  const events = [...before, ...(await storedEvents(ctx))];
  await ctx.close();

  const ajv = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true }));
  const compile = (schema: object) => ajv.compile(schema);
  const validators = new Map([...published].map(([type, schema]) => [type, compile(schema)]));
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set([
      'user.created',
      'user.updated',
      'user.deleted',
      'user.password_changed',
      'session.created',
      'session.revoked',
    ]),
  );
  for (const event of events) {
    const validate = validators.get(event.type);
    validate?.(event);
    expect([event.type, validate?.errors]).toEqual([event.type, null]);
  }
});
