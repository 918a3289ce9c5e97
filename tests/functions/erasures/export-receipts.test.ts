// What data holders send to an export: refused where it is no good, and then nothing of it is kept in plain.
import { receipts as receiptsConsumer } from '../../../functions/consumers/receipts';
import { handler as createHolderKey } from '../../../functions/erasures/create-holder-key';
import { handler as getExport } from '../../../functions/erasures/get-export';
import { handler as getExportData } from '../../../functions/erasures/get-export-data';
import { handler as receive } from '../../../functions/erasures/receive-export-receipt';
import { queueOf } from '../../../shared/broker/topology';
import { type TestContext, testContext } from '../../setup/context';
import { holder, messages, requestOwnExport, storedText } from '../../setup/erasures';
import { call } from '../../setup/http';
import { httpEvent } from '../../setup/http-event';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let person: Person;
const NAMES = ['one', 'two', 'three', 'four'];
const keys = new Map<string, string>();
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  for (const name of NAMES) {
    await holder(ctx, admin, name);
    const token = admin.accessToken;
    const { body } = await call(createHolderKey, ctx, { method: 'POST', params: { name }, token });
    keys.set(name, body.key);
  }
});
beforeEach(async () => {
  person = await registerPerson(ctx);
  await ctx.db.deleteFrom('dead_letters').execute();
});
afterAll(() => ctx.close());

const UNKNOWN = '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b';
/** What must turn up nowhere but in the download. */
const SECRET = 'Einstein-Rosen 4711';

const byAmqp = (...bodies: Parameters<typeof messages>[1][]) =>
  receiptsConsumer(() => ctx)(messages(queueOf(ctx.config.events, 'receipts'), ...bodies));
const byHttp = (name: string, id: string, body: object | string) =>
  call(receive, ctx, { method: 'POST', params: { id }, token: keys.get(name) ?? '', body });
const refused = () => ctx.db.selectFrom('dead_letters').select(['error', 'body']).orderBy('id').execute();

const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;

const REFUSED: [string, object | string, string][] = [
  ['neither data nor url', { outcome: 'exported' }, ''],
  ['both', { outcome: 'exported', data: {}, url: 'https://example.com' }, ''],
  ['data where nothing is held', { outcome: 'nothing_held', data: {} }, ''],
  ['a list', { outcome: 'exported', data: [1] }, 'data'],
  ['a text', { outcome: 'exported', data: 'x' }, 'data'],
  ['null', { outcome: 'exported', data: null }, 'data'],
  ['another outcome', { outcome: 'erased' }, 'outcome'],
  ['__proto__', '{"outcome":"exported","data":{"__proto__":{"x":1}}}', 'data.__proto__'],
  ['NUL', { outcome: 'exported', data: { x: 'a\0b' } }, 'data.x'],
  ['a number that would be rounded', '{"outcome":"exported","data":{"x":12345678901234567890}}', 'data.x'],
  ['deep nesting', `{"outcome":"exported","data":${deep}}`, ''],
  ...[
    'http://example.com',
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://example.com',
    '//example.com',
    'https:example.com',
    'https://',
    'https://user:pass@example.com',
    'https://bank.example@evil.example',
    ' https://example.com',
    'https://example.com/a b',
    'https://example.com/\n',
    `https://example.com/${'x'.repeat(2048)}`,
  ].map((url) => [url.slice(0, 40), { outcome: 'exported', url }, 'url'] satisfies [string, object, string]),
];

test.each(REFUSED)(
  '%j is refused by HTTP, and by AMQP a dead letter without it',
  async (name, body, path) => {
    const { id } = await requestOwnExport(ctx, person);
    const reply = await byHttp('one', id, body);
    expect([reply.status, reply.body.errors[0].path]).toEqual([422, path]);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const message = text.replace('{', `{"caseId":"${id}","holder":"one","note":"${SECRET}",`);
    // What AMQP ignores, as consumers do.
    const isFine = name === 'both' || name === 'data where nothing is held';
    await byAmqp(message);
    const letters = await refused();
    expect(letters).toHaveLength(isFine ? 0 : 1);
    for (const { error, body: kept } of letters) {
      expect(error).toContain('may be personal');
      expect(Object.keys(JSON.parse(String(kept)))).toEqual(['caseId', 'holder', 'outcome']);
    }
  },
);

test.each([
  ['broken JSON', `{"caseId":"${UNKNOWN}","data":{"note":"${SECRET}`],
  ['no UTF-8', Buffer.concat([Buffer.from(`{"data":"${SECRET}"`), Buffer.from([0xff])])],
  ['a list', [{ data: SECRET }]],
  ['a text', JSON.stringify(SECRET)],
  ['an unknown case', { caseId: UNKNOWN, holder: 'one', outcome: 'exported', data: { note: SECRET } }],
  [
    'an unknown case with a url',
    { caseId: UNKNOWN, holder: 'one', outcome: 'exported', url: `https://x/${SECRET}` },
  ],
  ['a misspelled member', { caseId: UNKNOWN, holder: 'one', outcome: 'exported', dta: { note: SECRET } }],
  ['data in the place of a name', { caseId: UNKNOWN, holder: { note: SECRET }, outcome: 'exported' }],
  ['data in a long name', { caseId: UNKNOWN, holder: SECRET.padEnd(200), outcome: 'exported' }],
  ['deep nesting', `${'['.repeat(100_000)}"${SECRET}"${']'.repeat(100_000)}`],
])('%s leaves nothing of a person in the dead letter or the log', async (_, message) => {
  await byAmqp(message);
  expect(await refused()).toEqual([
    expect.objectContaining({ error: expect.stringContaining('such as data') }),
  ]);
  expect(await storedText(ctx)).not.toContain(SECRET);
});

test('takes a large answer, and refuses what would not fit into the download', async () => {
  const { id } = await requestOwnExport(ctx, person);
  const answer = (name: string, size: number) =>
    byAmqp({ caseId: id, holder: name, outcome: 'exported', data: { text: '"'.repeat(size / 2) } });
  await answer('one', 1024 * 1024);
  expect((await refused())[0]?.error).toContain('send a url instead');
  for (const name of NAMES) await answer(name, 900_000);
  const { receipts } = (await call(getExport, ctx, { params: { id }, token: person.accessToken })).body;
  expect(receipts.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    null,
    'exported',
    'exported',
    'exported',
  ]);
  const { status, body } = await byHttp('four', id, {
    outcome: 'exported',
    data: { text: 'x'.repeat(60_000) },
  });
  expect([status, body]).toEqual([204, undefined]);
  const tooLarge = await byHttp('four', id, {
    outcome: 'exported',
    data: { text: 'x'.repeat(66_000) },
  });
  expect(tooLarge.body.code).toBe('payload_too_large');
  // What Lambda returns: the document as a string in JSON, at most 6 MB.
  const event = httpEvent({ params: { id }, token: person.accessToken });
  const result = await getExportData.in(() => ctx)(event);
  expect(result.statusCode).toBe(200);
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(6_000_000);
});
