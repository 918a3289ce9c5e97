// The console in a real browser, as a person uses it who has just started Rollcall.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { codeOf } from '../setup/factors';
import { accessibilityProblems, goTo, launchBrowser, logIn, newPage, signIn, type Watched } from './browser';
import { ADMIN, type Rollcall, startRollcall } from './rollcall';

let rollcall: Rollcall;
let browser: Browser;
beforeAll(async () => {
  rollcall = await startRollcall();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await rollcall.stop();
});

let watched: Watched;
let page: Page;
beforeEach(async () => {
  watched = await newPage(browser);
  page = watched.page;
  await logIn(page, rollcall.url);
});
afterEach(() => watched.context.close());

const cell = (text: string | RegExp) => page.getByRole('cell', { name: text });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const dialogButton = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });

async function register(fields: Record<string, unknown> = {}): Promise<{ id: string; username: string }> {
  const name = `person-${randomUUID().slice(0, 12)}`;
  const body = { username: name, email: `${name}@example.com`, password: `a password of ${name}`, ...fields };
  const { body: answer } = await rollcall.request('POST', '/register', body);
  return answer.user;
}

test('a registration appears without a reload, and its way is a picture', async () => {
  await goTo(page, 'events');
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  const { id } = await register();
  const row = page.getByRole('row').filter({ hasText: id }).filter({ hasText: 'user.created' });
  // From the answer of POST /register.
  await row.waitFor({ timeout: 2_000 });
  await row.getByText('all 5 handled it').waitFor({ timeout: 5_000 });
  await row.getByRole('link', { name: 'user.created' }).click();
  const way = page.getByRole('img', { name: /Rollcall: committed start, published/ });
  await way.waitFor();
  for (const consumer of ['analytics', 'audit', 'emails', 'admin-notices', 'webhooks'])
    expect(await way.getAttribute('aria-label')).toMatch(new RegExp(`${consumer}:.*handled \\+`));
  await cell('mail sent').waitFor();
  await page.getByRole('region', { name: 'The event as JSON' }).getByText('"specversion": "1.0"').waitFor();
  expect(watched.complaints).toEqual([]);
});

test('a poisoned event is found, understood, mended and handled', async () => {
  await goTo(page, 'faults');
  await button('Poison the next registration').click();
  await page.getByText('The mail of the next registration fails for good').waitFor();
  const { username, id } = await register();

  await goTo(page, 'dead-letters');
  const row = page.getByRole('row').filter({ hasText: 'the mail server refuses the recipient' });
  await row.getByRole('link', { name: 'user.created' }).click();
  const content = page.getByLabel('The event. Edit it if it is what is wrong.');
  const original = await content.inputValue();

  await content.fill(original.replace('{', '{,'));
  await page.getByText('This is not JSON').waitFor();
  expect(await button('Save and send again').isDisabled()).toBe(true);
  await content.fill(original.replace(`"${username}@example.com"`, '17'));
  await page.getByText('data.email:').waitFor();
  expect(await button('Save and send again').isDisabled()).toBe(true);

  await content.fill(original.replace(`${username}@example.com`, `${username}@example.org`));
  const difference = page.getByRole('region', { name: 'Difference to the original' });
  expect(await difference.innerText()).toMatch(/− .*example\.com.*\n\+ .*example\.org/);
  await button('Save and send again').click();
  await dialogButton('Save and send again').click();

  const way = page.getByRole('img', { name: /emails: .*dead letter.* sent again \(redrive\).* handled/ });
  await way.waitFor({ timeout: 20_000 });
  expect(await page.evaluate('location.hash')).toMatch(/^#\/events\//);
  await goTo(page, 'dead-letters');
  await page.getByText('There are no dead letters').waitFor();
  // As the edit has it, and once.
  const { body } = await rollcall.request('GET', `/events?subject=${id}&type=user.created`);
  expect(body.events[0].consumers.emails).toBe('handled');
  expect(watched.complaints).toEqual([]);
});

test('with the broker stopped, registrations go on, wait, and take effect once', async () => {
  await goTo(page, 'faults');
  await button('Stop the broker for 10 s').click();
  await page.getByText('The broker is away for 10 s').waitFor();
  await button('Register 20 users').click();
  const counter = (name: string) => page.locator('.vitals div').filter({ hasText: name }).locator('dd');
  const shows = (name: string, value: string) =>
    counter(name).getByText(value, { exact: true }).waitFor({ timeout: 60_000 });
  await shows('Registered (201)', '20');
  await shows('Waiting', '20');
  await shows('Published', '20');
  await shows('Effects', '100 of 100');
  await page.getByText('20 registrations, and each effect once').waitFor();
  const { body } = await rollcall.request('GET', '/events?type=user.created&limit=100');
  const handled = body.events.filter(({ consumers }: { consumers: Record<string, string> }) =>
    Object.values(consumers).every((state) => state === 'handled'),
  );
  // One for each, as the consumer counted them: a repetition would be one too many.
  await shows('Counted by analytics in all', String(handled.length));
});

test('a user is found, edited, and not overwritten where somebody else was quicker', async () => {
  const { id, username } = await register();
  await goTo(page, 'users');
  await page.getByLabel('Username or email address').fill(username);
  await page.getByRole('link', { name: username }).click();
  await button('Verify').click();
  await dialogButton('Verify').click();
  await page.getByText('The address counts as verified.').waitFor();

  await button('Edit').click();
  await page.getByLabel('Display name').fill('Typed here');
  await rollcall.request('PUT', `/users/${id}`, { displayName: 'Quicker' });
  await dialogButton('Save').click();
  await page.getByRole('alert').getByText('Somebody else has changed').waitFor();
  expect(await page.getByLabel('Display name').inputValue()).toBe('Typed here');
  await page.keyboard.press('Escape');
  await page.getByText('Quicker').first().waitFor();

  await button('Delete').click();
  await page.getByLabel(`Type ${username} to confirm`).fill('somebody else');
  await dialogButton('Delete').click();
  await page.getByText('This is not the username.').waitFor();
  await page.getByLabel(`Type ${username} to confirm`).fill(username);
  await dialogButton('Delete').click();
  await page.getByText(`${username} is deleted.`).waitFor();
  expect((await rollcall.request('GET', `/users/${id}`)).status).toBe(404);
});

test('a user is erased everywhere: the case shows who has answered, and completes with the last answer', async () => {
  const { id, username } = await register();
  await goTo(page, 'erasures');
  await button('New data holder').click();
  await page.getByLabel('Name').fill('crm');
  await page.getByLabel('Queue').fill('crm.rollcall');
  await dialogButton('Save').click();
  await page.getByRole('cell', { name: 'crm.rollcall' }).waitFor();

  await goTo(page, `users/${id}`);
  await button('Erase everywhere').click();
  await page.getByLabel(`Type ${username} to confirm`).fill(username);
  await dialogButton('Erase everywhere').click();
  await page.getByText('0 of 1 have answered').waitFor();
  await button('Ask again').click();
  await dialogButton('Ask again').click();
  await page.getByText('crm is asked again.').waitFor();
  await button('Record').click();
  await dialogButton('Record').click();
  await page.getByText('erased, by administrator').waitFor();
  await page
    .getByText(/completed/)
    .first()
    .waitFor();

  await goTo(page, 'erasures');
  await page.getByLabel('Email address').fill(`${username}@example.com`);
  await button('Look up').click();
  await page.getByRole('link', { name: /^Erased/ }).waitFor();
});

test('a user is suspended, with the reason and the end in view, and restored', async () => {
  const { id, username } = await register();
  await goTo(page, `users/${id}`);
  await button('Suspend').click();
  await page.getByLabel('Reason').fill('Spam');
  await page.getByLabel('Until').fill('2999-01-01T00:00');
  await dialogButton('Suspend').click();
  await page.getByText(`${username} is suspended.`).waitFor();
  await page.getByText('Spam', { exact: true }).waitFor();
  const { body } = await rollcall.request('GET', `/users/${id}`);
  expect(body.suspension).toMatchObject({ reason: 'Spam', until: expect.stringMatching(/^299/) });

  await button('Change suspension').click();
  await page.getByRole('dialog').waitFor();
  expect(await page.getByLabel('Until').inputValue()).toBe('2999-01-01T00:00');
  await page.keyboard.press('Escape');
  await button('Restore').click();
  await dialogButton('Restore').click();
  await page.getByText(`${username} is restored.`).waitFor();
  expect((await rollcall.request('GET', `/users/${id}`)).body.suspension).toBeNull();
});

test("a user's data is collected and downloaded as one file", async () => {
  const { id, username } = await register();
  await rollcall.request('DELETE', '/data-holders/crm');
  await goTo(page, `users/${id}`);
  await button('Collect the data').click();
  await page.getByText('0 of 0 data holders have answered').waitFor();
  const downloading = page.waitForEvent('download');
  await button('Download').click();
  const file = await (await downloading).path();
  const document = JSON.parse(await readFile(file, 'utf8'));
  expect(document.user).toEqual({ id, username });
  expect(document.missing).toEqual([]);
});

test('a replay says how many events it will be, and shows that they were sent', async () => {
  const { id } = await register();
  await goTo(page, 'replays');
  await page.getByLabel('Queue').selectOption('rollcall.audit');
  await page.getByLabel('User (id)').fill(id);
  await button('Count the events').click();
  await page.getByText(/^1 event will be sent to rollcall\.audit/).waitFor();
  await button('Start').click();
  await dialogButton('Start').click();
  await cell(/1 event sent/).waitFor({ timeout: 20_000 });
});

test('a reload keeps the session, a log-out ends it, and the URL leads back to where one was', async () => {
  await goTo(page, 'events?type=user.created');
  await page.reload();
  expect(await page.getByLabel('Type').inputValue()).toBe('user.created');
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  expect(await page.evaluate('document.cookie + JSON.stringify([localStorage, sessionStorage])')).toBe(
    '[{},{}]',
  );

  await button('Log out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(rollcall.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('who is not signed in comes back to the view that the URL names, with no code in it', async () => {
  const other = await newPage(browser);
  const urls: string[] = [];
  other.page.on('framenavigated', (frame) => urls.push(frame.url()));
  await other.page.goto(`${rollcall.url}/console#/events?type=user.created`);
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(other.page, ADMIN);
  await other.page.getByRole('heading', { name: 'Events' }).waitFor();
  expect(await other.page.getByLabel('Type').inputValue()).toBe('user.created');
  expect(other.page.url()).toBe(`${rollcall.url}/console#/events?type=user.created`);
  expect(urls.filter((url) => url.includes('code'))).toEqual([]);
  expect(other.complaints).toEqual([]);
  await other.context.close();
});

test('what could take an account away asks who is there, and then goes on', async () => {
  const { body: chief } = await rollcall.request('POST', '/register', {
    username: `chief-${randomUUID().slice(0, 8)}`,
    email: `${randomUUID()}@example.com`,
    password: 'a password of the chief',
    role: 'admin',
  });
  const { id: other } = await register();
  const password = 'a password of the chief';
  const its = await newPage(browser);
  await logIn(its.page, rollcall.url, { username: chief.user.username, password });
  // From now on, that login lacks the second factor.
  const as = { authorization: `Bearer ${chief.accessToken}` };
  const { body: totp } = await rollcall.request('POST', '/users/me/totp', undefined, as);
  const code = (later = 0) => codeOf(totp.secret, new Date(Date.now() + later * 1000));
  await rollcall.request('POST', '/users/me/totp/confirm', { code: code() }, as);

  const dialog = (name: string) => its.page.getByRole('dialog', { name, exact: true });
  const change = async () => {
    await its.page.getByRole('button', { name: 'Change role' }).click();
    await dialog('Change role').getByLabel('Role').selectOption('admin');
    await dialog('Change role').getByRole('button', { name: 'Save' }).click();
  };
  const question = dialog('Confirm that it is you');
  await goTo(its.page, `users/${other}`);
  await change();
  await question.waitFor();
  expect(await accessibilityProblems(its.page)).toEqual([]);
  await its.page.keyboard.press('Escape');
  await dialog('Change role').getByRole('alert').waitFor();
  expect((await rollcall.request('GET', `/users/${other}`)).body.role).toBe('user');

  await dialog('Change role').getByRole('button', { name: 'Save' }).click();
  await question.getByLabel('Password').fill('wrong');
  await question.getByRole('button', { name: 'Continue' }).click();
  await question.getByRole('alert').waitFor();
  await question.getByLabel('Password').fill(password);
  await question.getByLabel('Code').fill(code(30));
  await question.getByRole('button', { name: 'Continue' }).click();
  await its.page.getByText('The role is admin now.').waitFor();
  expect((await rollcall.request('GET', `/users/${other}`)).body.role).toBe('admin');
  await its.context.close();
});

test('a role is offered what it may do, and no more', async () => {
  await rollcall.request('PUT', '/roles/support', { permissions: ['users:read', 'audit:read'] });
  const { id, username } = await register();
  await rollcall.request('PUT', `/users/${id}/role`, { role: 'support' });
  const other = await newPage(browser);
  await logIn(other.page, rollcall.url, { username, password: `a password of ${username}` });
  const views = await other.page.getByRole('navigation').getByRole('link').allInnerTexts();
  expect(views).toEqual(['Now', 'Users', 'Audit']);
  await goTo(other.page, 'users');
  await other.page.getByRole('link', { name: username }).click();
  await other.page.getByRole('heading', { name: username }).waitFor();
  expect(await other.page.getByRole('button').allInnerTexts()).toEqual(['Skip to content', 'Log out']);
  await goTo(other.page, 'dead-letters');
  await other.page.getByText('your role does not allow it').waitFor();
  expect(other.complaints).toEqual([]);
  await other.context.close();
});

test('a login asks for the code of an authenticator app, and an administrator removes one that was lost', async () => {
  const name = `chief-${randomUUID().slice(0, 8)}`;
  const password = `a password of ${name}`;
  const { body: chief } = await rollcall.request('POST', '/register', {
    username: name,
    email: `${name}@example.com`,
    password,
    role: 'admin',
  });
  const as = { authorization: `Bearer ${chief.accessToken}` };
  const { body: totp } = await rollcall.request('POST', '/users/me/totp', undefined, as);
  const code = (later = 0) => codeOf(totp.secret, new Date(Date.now() + later * 1000));
  await rollcall.request('POST', '/users/me/totp/confirm', { code: code() }, as);
  const { body: recovery } = await rollcall.request('POST', '/users/me/recovery-codes', undefined, as);

  const other = await newPage(browser);
  await other.page.goto(rollcall.url);
  for (const right of [code(30), recovery.codes[0]]) {
    await signIn(other.page, { username: name, password });
    await other.page.getByLabel('Code', { exact: true }).fill(right);
    await other.page.getByRole('button', { name: 'Continue' }).click();
    await other.page.getByRole('heading', { name: 'Now' }).waitFor();
    await other.page.getByRole('button', { name: 'Log out' }).click();
    await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  }
  // The browser itself reports the answers of 401 alone.
  expect(other.complaints.filter((text) => !text.includes('401'))).toEqual([]);
  await other.context.close();

  await goTo(page, `users/${chief.user.id}`);
  await page.getByText('Recovery codes that remain: 9').waitFor();
  await page
    .getByRole('row')
    .filter({ hasText: 'Authenticator app' })
    .getByRole('button', { name: 'Remove' })
    .click();
  await dialogButton('Remove').click();
  await page.getByRole('region', { name: 'Authenticator apps' }).waitFor({ state: 'detached' });
  await page.getByText('user.factor_removed').waitFor();
  expect(watched.complaints).toEqual([]);
});
