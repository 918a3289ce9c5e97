import { handler as getUser } from '../../../functions/users/get-user';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

const NOBODY = '01890000-0000-7000-8000-000000000000';

let ctx: TestContext;
let admin: Person;
let person: Person;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  person = await registerPerson(ctx);
});
afterAll(() => ctx.close());

const get = (id: string, token: string) => call(getUser, ctx, { params: { id }, token });

test('shows a user to themselves, and to those who may read users', async () => {
  for (const [id, token] of [
    [person.user.id, person.accessToken],
    [person.user.id.toUpperCase(), person.accessToken],
    ['me', person.accessToken],
    [person.user.id, admin.accessToken],
  ] as const) {
    const { status, headers, body } = await get(id, token);
    expect([status, headers['etag'], body]).toEqual([200, '"1"', person.user]);
  }
});

test('tells those who may not read users nothing about who exists', async () => {
  for (const id of [admin.user.id, NOBODY, 'no-id-at-all']) {
    const { status, body } = await get(id, person.accessToken);
    expect([status, body.code]).toEqual([403, 'forbidden']);
  }
});

test.each([[NOBODY], ['no-id-at-all'], ['1; drop table users'], ['%00']])(
  'answers 404 for %s',
  async (id) => {
    const { status, body } = await get(id, admin.accessToken);
    expect([status, body.code]).toEqual([404, 'not_found']);
  },
);
