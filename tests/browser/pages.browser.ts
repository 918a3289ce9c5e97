// The hosted pages in a real browser: people sign up, sign in and come back to the app, whatever is in the link.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { codeOf } from '../setup/factors';
import { eventually } from '../setup/service';
import { type App, startApp } from './app';
import {
  accessibilityProblems,
  launchBrowser,
  newPage,
  screenshot,
  signIn as signInOn,
  type Watched,
} from './browser';
import { type Rollcall, startRollcall } from './rollcall';

const ATTACK = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}&code=x#'`;
/** Within the 64 characters that a name may have. */
const APP_NAME = `Ours "><script>alert(2)</script>{{7*7}}&code=x#'`;
const PHONE = 'com.example.app:/signed-in';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** An input of the page; these tests are compiled without the types of browsers. */
interface Input {
  name: string;
  type: string;
  value: string;
  autocomplete: string;
}

let rollcall: Rollcall;
let app: App;
let browser: Browser;
beforeAll(async () => {
  app = await startApp();
  rollcall = await startRollcall({
    RETURN_URLS: [app.returnTo, app.sample, PHONE].join(),
    CORS_ORIGINS: app.url,
    APP_NAME,
    BRAND_COLOR: '#ffd400',
  });
  app.useSampleAt(rollcall.url);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await rollcall.stop();
  await app.stop();
});

let watched: Watched;
let page: Page;
beforeEach(async () => {
  app.visits.length = 0;
  watched = await newPage(browser);
  page = watched.page;
});
afterEach(async () => {
  expect(watched.complaints.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
  await watched.context.close();
});

const field = (label: string) => page.getByLabel(label, { exact: true });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();
const open = (path: string, query: Record<string, string> = {}) =>
  page.goto(`${rollcall.url}/${path}?${new URLSearchParams(query)}`);
const back = (query: Record<string, string> = {}) => ({ return_to: app.returnTo, ...query });

async function register(fields: Record<string, unknown> = {}) {
  const name = `person-${randomUUID().slice(0, 12)}`;
  const password = `a password of ${name}`;
  const { body } = await rollcall.request('POST', '/register', {
    username: name,
    email: `${name}@example.com`,
    password,
    ...fields,
  });
  return { ...body, name, password, as: { authorization: `Bearer ${body.accessToken}` } };
}

const signIn = ({ name, password }: { name: string; password: string }) =>
  signInOn(page, { username: name, password });

/** The text of a mail to this person that has something in it, once it is there. */
async function mailWith(name: string, text: string): Promise<string> {
  const mails = await eventually(
    () => rollcall.mailsTo(`${name}@example.com`),
    (all) => all.some((mail) => mail.text.includes(text)),
  );
  return mails.find((mail) => mail.text.includes(text))?.text ?? '';
}
const linkIn = async (name: string, path: string) =>
  (await mailWith(name, path)).match(/https?:\/\/[^\s<>"]+/)?.[0] ?? '';

const arrived = async () => {
  await heading('The app');
  return app.visits.at(-1) ?? {};
};
const exchange = (code = '', more: Record<string, string> = {}) =>
  rollcall.request('POST', '/login/exchange', { code, returnTo: app.returnTo, ...more });

test('a person signs up, confirms the address, signs in, and the app has the session', async () => {
  const name = `new-${randomUUID().slice(0, 8)}`;
  await open('sign-in', back({ state: 's&t=1', code_challenge: CHALLENGE }));
  await page.getByRole('link', { name: 'Create an account' }).click();
  await heading('Create an account');
  await field('Username').fill(name);
  await field('Email address').fill(`${name}@example.com`);
  await field('Password (optional)').fill('password');
  await button('Create account').click();
  await page.getByText('must not be one of').waitFor();
  expect(await page.evaluate('document.activeElement.name')).toBe('password');
  await field('Password (optional)').fill(`a password of ${name}`);
  await button('Create account').click();
  const first = await arrived();
  expect(Object.keys(first)).toEqual(['tenant', 'code', 'state']);
  expect(first).toMatchObject({ tenant: '7/8', state: 's&t=1' });
  const { body: registered } = await exchange(first['code'], { codeVerifier: VERIFIER });
  expect(registered.user).toMatchObject({ username: name, emailVerified: false });

  const link = await linkIn(name, '/verify-email');
  await page.goto(link);
  await heading('Confirm your email address');
  expect(page.url()).toBe(`${rollcall.url}/verify-email`);
  expect((await rollcall.request('GET', `/users/${registered.user.id}`)).body.emailVerified).toBe(false);
  await button('Confirm').click();
  await page.getByText('Your email address is confirmed.').waitFor();
  await page.getByRole('link', { name: 'Sign in' }).click();
  await heading('Sign in');

  await open('sign-in', back());
  await signIn({ name: `${name}@example.com`, password: `a password of ${name}` });
  const second = await arrived();
  expect(Object.keys(second)).toEqual(['tenant', 'code']);
  const { status, body } = await exchange(second['code']);
  expect([status, body.user.emailVerified]).toEqual([200, true]);
});

test('the link of the mail about an export asks to sign in, and downloads the data', async () => {
  const person = await register();
  const { id } = person.user;
  await rollcall.request('PUT', `/users/${id}`, { emailVerified: true });
  const opened = await rollcall.request('POST', '/users/me/exports', undefined, person.as);
  expect(opened.body.state).toBe('ready');
  const link = await linkIn(person.name, '/export?');
  expect(link).toBe(`${rollcall.url}/export?id=${opened.body.id}`);
  await page.goto(link);
  await signIn(person);
  await heading('Download your data');
  expect(await accessibilityProblems(page)).toEqual([]);
  const downloading = page.waitForEvent('download');
  await button('Download').click();
  const download = await downloading;
  await heading('Your data was downloaded');
  expect(download.suggestedFilename()).toBe('my-data.json');
  const { user, parts } = JSON.parse(readFileSync(await download.path(), 'utf8'));
  expect([user.id, parts.rollcall.profile.username]).toEqual([id, person.name]);
  // Somebody else's is as if there were none.
  await page.goto(link);
  await signIn(await register());
  await button('Download').click();
  await page.getByText('Export not found.').waitFor();
  for (const other of ['', '?id=..%2Fusers%2Fme', `?id=${id}%2F..`]) {
    await page.goto(`${rollcall.url}/export${other}`);
    await heading('This page needs a link');
  }
});

test('the code of docs/pages.md signs in, once, and takes no answer that it has not asked for', async () => {
  const person = await register();
  await page.goto(app.sample);
  await heading('Nobody is signed in');
  await button('Sign in').click();
  await heading('Sign in');
  await signIn(person);
  await heading(`Hello, ${person.name}`);
  expect(page.url()).toBe(app.sample);
  await page.goBack();
  await page.goForward();
  await page.reload();
  await heading('Nobody is signed in');
  await page.goto(`${app.sample}?code=x&state=x`);
  await heading('Nobody is signed in');
  const { body } = await rollcall.request('GET', `/users/${person.user.id}/sessions`);
  expect(body.sessions).toHaveLength(2);
});

test('the way back through the history shows no form that was filled in, and reuses nothing', async () => {
  await open('sign-in', back());
  await signIn(await register());
  const { code } = await arrived();
  await page.goBack();
  await page.waitForLoadState();
  if (page.url().includes('/sign-in')) expect(await field('Password').inputValue()).toBe('');
  expect(app.visits).toHaveLength(1);
  expect((await exchange(code)).status).toBe(200);
});

test.each([
  ['not listed', { return_to: 'https://evil.example/' }],
  ['a script', { return_to: 'javascript:alert(1)' }],
  ['a path', { return_to: '//evil.example' }],
  ['hostile text', { return_to: ATTACK, state: ATTACK }],
  ['a challenge that is none', { code_challenge: 'x' }],
])('a link with a target that is %s says so and goes nowhere', async (_what, query) => {
  await open('sign-in', query);
  await heading('This link does not work');
  expect(await page.locator('form, main a').count()).toBe(0);
  expect(await accessibilityProblems(page)).toEqual([]);
});

test('a hostile state is text, and comes back as it was', async () => {
  await open('sign-in', back({ state: ATTACK }));
  await signIn(await register());
  expect((await arrived())['state']).toBe(ATTACK);
  expect(app.visits.at(-1)?.['code']).not.toBe('x');
});

test('an app on a phone is opened by its own scheme, or by hand', async () => {
  const person = await register();
  await open('sign-in', { return_to: PHONE, state: ATTACK });
  await signIn(person);
  await heading('You are signed in');
  const url = new URL((await page.getByRole('link', { name: 'Open the app' }).getAttribute('href')) ?? '');
  expect(url.href.startsWith(`${PHONE}?code=`)).toBe(true);
  expect(url.searchParams.get('state')).toBe(ATTACK);
  expect(await accessibilityProblems(page)).toEqual([]);
  const { status } = await exchange(url.searchParams.get('code') ?? '', { returnTo: PHONE });
  expect(status).toBe(200);
  // Nobody has installed it here.
  watched.complaints.length = 0;
});

test('without a target, the page says that it has worked, and signs out', async () => {
  const person = await register();
  await open('sign-in');
  await signIn({ ...person, password: 'wrong' });
  await page.getByText('Wrong username, email address or password.').waitFor();
  expect(await field('Username or email address').inputValue()).toBe(person.name);
  await field('Password').fill(person.password);
  await page.keyboard.press('Enter');
  await heading('You are signed in');
  expect(await page.title()).toBe(`You are signed in · ${APP_NAME}`);
  expect(await page.evaluate('document.cookie + JSON.stringify([localStorage, sessionStorage])')).toBe(
    '[{},{}]',
  );
  await button('Sign out').click();
  await heading('You are signed out');
  const { body } = await rollcall.request('GET', `/users/${person.user.id}/sessions`);
  expect(body.sessions).toHaveLength(1);
});

test('a second factor is asked for: a code of the app, or a recovery code', async () => {
  const person = await register();
  const { body: totp } = await rollcall.request('POST', '/users/me/totp', undefined, person.as);
  const code = (later = 0) => codeOf(totp.secret, new Date(Date.now() + later * 1000));
  await rollcall.request('POST', '/users/me/totp/confirm', { code: code() }, person.as);
  const { body: recovery } = await rollcall.request('POST', '/users/me/recovery-codes', undefined, person.as);
  for (const right of [code(30), recovery.codes[0]]) {
    await open('sign-in', back());
    await signIn(person);
    await heading('Confirm that it is you');
    expect(await page.evaluate('document.activeElement.autocomplete')).toBe('one-time-code');
    expect(await accessibilityProblems(page)).toEqual([]);
    await field('Code').fill('000000');
    await button('Continue').click();
    await page.getByText('The code is wrong, used or expired').waitFor();
    await field('Code').fill(right);
    await button('Continue').click();
    expect((await exchange((await arrived())['code'])).status).toBe(200);
  }
});

describe('passkeys, of an authenticator that the browser makes up', () => {
  let device: CDPSession;
  let authenticatorId: string;
  beforeEach(async () => {
    device = await watched.context.newCDPSession(page);
    await device.send('WebAuthn.enable');
    ({ authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: false,
      },
    }));
  });
  /** Opens the page to sign in, until it waits for a passkey to be chosen: a touch before that would be the choice. */
  const asksForPasskeys = async (openPage: () => Promise<unknown>) => {
    const asked = page.waitForResponse('**/login/passkey/options');
    await openPage();
    await asked;
    await heading('Sign in');
  };
  /** Whether the person touches the device when it asks. */
  const touches = (enabled: boolean) =>
    device.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });

  /** A user whose role requires a factor, who creates a passkey on the way. */
  async function withPasskey() {
    await rollcall.request('PUT', '/roles/guarded', { permissions: [], requiresFactor: true });
    const person = await register();
    await rollcall.request('PUT', `/users/${person.user.id}/role`, { role: 'guarded' });
    await open('sign-in', back());
    await signIn(person);
    await heading('Set up a second factor');
    await touches(true);
    await button('Create a passkey').click();
    await heading('Save your recovery codes');
    await button('I have saved them').click();
    expect((await exchange((await arrived())['code'])).status).toBe(200);
    await touches(false);
    return person;
  }

  test('one is created, signs in alone, and is the second factor of a password', async () => {
    const person = await withPasskey();
    await asksForPasskeys(() => open('sign-in', back()));
    await touches(true);
    await button('Sign in with a passkey').click();
    const { body } = await exchange((await arrived())['code']);
    expect(body.user.username).toBe(person.name);

    await touches(false);
    await open('sign-in', back());
    await signIn(person);
    await heading('Confirm that it is you');
    expect(await accessibilityProblems(page)).toEqual([]);
    await touches(true);
    await button('Use a passkey').click();
    expect((await exchange((await arrived())['code'])).body.user.username).toBe(person.name);
  });

  test('the browser suggests it where it fills in the username', async () => {
    const person = await withPasskey();
    await touches(true);
    await open('sign-in', back());
    expect((await exchange((await arrived())['code'])).body.user.username).toBe(person.name);
  });

  test('it opens the console, proves there who is there, and is removed there', async () => {
    const { user, name } = await withPasskey();
    await rollcall.request('PUT', `/users/${user.id}/role`, { role: 'admin' });
    await asksForPasskeys(() => page.goto(`${rollcall.url}/console#/users/${user.id}`));
    await touches(true);
    await button('Sign in with a passkey').click();
    await heading(name);
    // As if the login were of long ago.
    let refused = false;
    await page.route('**/passkeys/*', (route) => {
      if (refused) return route.continue();
      refused = true;
      const body = JSON.stringify({ code: 'reauthentication_required' });
      return route.fulfill({ status: 401, contentType: 'application/problem+json', body });
    });
    const passkeys = page.getByRole('region', { name: 'Passkeys' });
    await passkeys.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog', { name: 'Confirm that it is you' }).waitFor();
    await button('Use a passkey').click();
    await passkeys.waitFor({ state: 'detached' });
    const { body } = await rollcall.request('GET', `/users/${user.id}/passkeys`);
    expect(body.passkeys).toEqual([]);
  });

  test('one that was removed is refused, and the page says so', async () => {
    const person = await withPasskey();
    const { body } = await rollcall.request('GET', `/users/${person.user.id}/passkeys`);
    await rollcall.request('DELETE', `/users/${person.user.id}/passkeys/${body.passkeys[0].id}`);
    await asksForPasskeys(() => open('sign-in', back()));
    await touches(true);
    await button('Sign in with a passkey').click();
    await page.getByText('The passkey').waitFor();
  });
});

test('who needs a second factor and has none sets one up on the way', async () => {
  await rollcall.request('PUT', '/roles/guarded', { permissions: [], requiresFactor: true });
  const person = await register();
  await rollcall.request('PUT', `/users/${person.user.id}/role`, { role: 'guarded' });
  await open('sign-in', back());
  await signIn(person);
  await heading('Set up a second factor');
  expect(await accessibilityProblems(page)).toEqual([]);
  await button('Use an authenticator app').click();
  await heading('Add this account to your app');
  expect(await accessibilityProblems(page)).toEqual([]);
  const picture = page.getByRole('img', { name: 'QR code' });
  expect(
    await picture.evaluate<number, { naturalWidth: number }>(({ naturalWidth }) => naturalWidth),
  ).toBeGreaterThan(0);
  await screenshot(page, 'pages-totp');
  const secret = await page.locator('code').innerText();
  await field('Code').fill(codeOf(secret, new Date()));
  await button('Continue').click();
  await heading('Save your recovery codes');
  expect(await accessibilityProblems(page)).toEqual([]);
  const codes = await page.locator('li code').allInnerTexts();
  expect(codes).toHaveLength(10);
  await button('I have saved them').click();
  const { body } = await exchange((await arrived())['code']);
  const claims = JSON.parse(Buffer.from(body.accessToken.split('.')[1], 'base64url').toString());
  expect(claims.acr).toBe('aal2');
});

test('a forgotten password is replaced by a link, which works once', async () => {
  const { name } = await register();
  await open('sign-in', back({ state: 'kept' }));
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await heading('Reset your password');
  await field('Email address').fill(`${name}@example.com`);
  await button('Send the link').click();
  await heading('Check your email');
  const link = await linkIn(name, '/reset-password');
  const password = `another password of ${name}`;
  for (const [typed, says] of [
    ['short', 'New password must be at least 8 characters.'],
    [password, 'Your password was changed. You can now sign in.'],
    [password, 'This link was used before, or has expired.'],
  ] as const) {
    await page.goto(link);
    await heading('Choose a new password');
    expect(page.url()).toBe(`${rollcall.url}/reset-password`);
    await field('New password').fill(typed);
    await button('Set password').click();
    await page.getByText(says).waitFor();
  }
  await page.reload();
  await heading('This page needs a link');
  await open('sign-in', back());
  await signIn({ name, password });
  expect((await exchange((await arrived())['code'])).status).toBe(200);
});

test('without a password: an account by its address, and a code by mail for each login', async () => {
  const name = `mailed-${randomUUID().slice(0, 8)}`;
  await open('sign-up');
  await field('Username').fill(name);
  await field('Email address').fill(`${name}@example.com`);
  await button('Create account').click();
  await page.getByText(`We sent a link to ${name}@example.com.`).waitFor();

  await open('sign-in', back());
  await field('Username or email address').fill(`${name}@example.com`);
  await button('Email me a code').click();
  await heading('Sign in by email');
  expect(await field('Email address').inputValue()).toBe(`${name}@example.com`);
  expect(await accessibilityProblems(page)).toEqual([]);
  await button('Send the code').click();
  await heading('Enter the code from your email');
  expect(await accessibilityProblems(page)).toEqual([]);
  const [code = ''] = (await mailWith(name, 'Enter this code')).match(/\b\d{3} ?\d{3}\b/) ?? [];
  await field('Code').fill(code === '000000' ? '000001' : '000000');
  await button('Sign in').click();
  await page.getByText('The code is wrong, used or expired').waitFor();
  await field('Code').fill(code);
  await button('Sign in').click();
  const { body } = await exchange((await arrived())['code']);
  expect(body.user).toMatchObject({ username: name, emailVerified: true });
});

test('a password can be shown, pasted and filled in by a manager', async () => {
  await open('sign-in');
  await heading('Sign in');
  const attributes = await page
    .locator('input')
    .evaluateAll((inputs) =>
      (inputs as unknown as Input[]).map(({ name, type, autocomplete }) => [name, type, autocomplete]),
    );
  expect(attributes).toEqual([
    ['username', 'text', 'username webauthn'],
    ['password', 'password', 'current-password'],
  ]);
  // As a manager fills it in: a value, without typing.
  await field('Password').evaluate((input) => {
    (input as unknown as Input).value = 'filled in';
  });
  await button('Show password').click();
  expect(await field('Password').evaluate((input) => (input as unknown as Input).type)).toBe('text');
  expect(await field('Password').inputValue()).toBe('filled in');
  await button('Hide password').click();
  expect(await field('Password').getAttribute('type')).toBe('password');
});

test('works by keyboard, and without the server it says so', async () => {
  const person = await register();
  await open('sign-in', back());
  await heading('Sign in');
  await page.keyboard.type(person.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(person.password);
  await page.route('**/login', (route) => route.abort());
  await page.keyboard.press('Enter');
  await page.getByText('We could not reach the server.').waitFor();
  await page.unroute('**/login');
  await page.keyboard.press('Enter');
  await arrived();
  watched.complaints.length = 0;
});

test.each([
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { phone: true }],
])('each page is accessible, fits, and nothing moves: %s', async (mode, options) => {
  const other = await newPage(browser, options);
  await other.page.addInitScript(`
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  `);
  const problems: Record<string, unknown[]> = {};
  for (const name of [
    'sign-in',
    'sign-up',
    'forgot-password',
    'reset-password',
    'verify-email',
    'undo-email-change',
  ]) {
    await other.page.goto(`${rollcall.url}/${name}?token=x`);
    await other.page.getByRole('heading', { level: 1 }).waitFor();
    problems[name] = await accessibilityProblems(other.page);
    if (await other.page.evaluate('document.documentElement.scrollWidth > innerWidth'))
      problems[name]?.push('wider than the screen');
    const submit = other.page.locator('button[type=submit]').first();
    await submit.click();
    if (await other.page.evaluate('shift > 0.05')) problems[name]?.push(await other.page.evaluate('shift'));
    expect(await other.page.locator('main').count()).toBe(1);
    await screenshot(other.page, `pages-${name}-${mode}`);
  }
  expect(problems).toEqual(Object.fromEntries(Object.keys(problems).map((name) => [name, []])));
  await other.context.close();
});
