// What holds in every view: accessibility, light and dark, small screens, text that stays text, and a policy that nothing breaks.
import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { eventually } from '../setup/service';
import { accessibilityProblems, goTo, launchBrowser, logIn, newPage, screenshot } from './browser';
import { type Rollcall, startRollcall } from './rollcall';

const ATTACK = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}`;
/** Title and path of each view; the ids are those of what `fill` makes. */
const VIEWS: [name: string, path: (made: Made) => string, heading: string | RegExp][] = [
  ['now', () => 'now', 'Now'],
  ['events', () => 'events', 'Events'],
  ['event', ({ eventId }) => `events/${eventId}`, 'user.created'],
  ['dead-letters', () => 'dead-letters', 'Dead letters'],
  ['dead-letter', ({ deadLetterId }) => `dead-letters/${deadLetterId}`, 'Dead letter'],
  ['replays', () => 'replays', 'Replays'],
  ['users', () => 'users', 'Users'],
  ['user', ({ userId }) => `users/${userId}`, /^eve-/],
  ['erasures', () => 'erasures', 'Erasures'],
  ['erasure', ({ caseId }) => `erasures/${caseId}`, 'Erasure'],
  ['webhooks', () => 'webhooks', 'Webhooks'],
  ['webhook', ({ webhookId }) => `webhooks/${webhookId}`, 'Webhook'],
  ['audit', () => 'audit', 'Audit'],
  ['roles', () => 'roles', 'Roles'],
  ['faults', () => 'faults', 'Faults'],
];

interface Made {
  userId: string;
  eventId: string;
  deadLetterId: string;
  webhookId: string;
  caseId: string;
}

let rollcall: Rollcall;
let browser: Browser;
let made: Made;
beforeAll(async () => {
  rollcall = await startRollcall();
  browser = await launchBrowser();
  made = await fill();
});
afterAll(async () => {
  await browser.close();
  await rollcall.stop();
});

/** One of everything, with hostile text wherever a user or a receiver chooses it. */
async function fill(): Promise<Made> {
  const { request } = rollcall;
  await fetch(`${rollcall.url}/local/faults/poison`, { method: 'POST', headers: { origin: rollcall.url } });
  const webhook = await request('POST', '/webhooks', {
    url: `${rollcall.url}/nowhere`,
    eventTypes: ['*'],
    description: ATTACK,
  });
  const name = `eve-${randomUUID().slice(0, 8)}`;
  const user = { username: name, email: `${name}@example.com`, password: `a password of ${name}` };
  const registered = await request(
    'POST',
    '/register',
    { ...user, displayName: ATTACK, metadata: { [ATTACK]: ATTACK } },
    { 'user-agent': ATTACK, 'x-request-id': 'attack' },
  );
  await request('PUT', '/roles/readers', { permissions: ['users:read'] });
  const userId = registered.body.user.id;
  const { body: events } = await request('GET', `/events?subject=${userId}&type=user.created`);
  const { body: dead } = await eventually(
    () => request('GET', '/dead-letters'),
    ({ body }) => body.deadLetters.length > 0,
  );
  await eventually(
    () => request('GET', `/webhooks/${webhook.body.id}/deliveries`),
    ({ body }) => body.deliveries[0]?.attemptCount > 0,
  );
  await request('PUT', '/data-holders/crm', { queue: 'crm.rollcall', contact: 'crm@example.com' });
  const gone = `gone-${randomUUID().slice(0, 8)}`;
  const erased = { username: gone, email: `${gone}@example.com`, password: `a password of ${gone}` };
  const { user: toErase } = (await request('POST', '/register', erased)).body;
  const opened = await request('POST', `/users/${toErase.id}/erasure`);
  return {
    caseId: opened.body.id,
    userId,
    eventId: events.events[0].id,
    deadLetterId: dead.deadLetters[0].id,
    webhookId: webhook.body.id,
  };
}

test.each([
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { phone: true }],
])('every view is accessible, shows text as text, and keeps to the policy: %s', async (mode, options) => {
  const { page, context, complaints } = await newPage(browser, options);
  const problems: Record<string, string[]> = {};
  await logIn(page, rollcall.url);
  for (const [name, pathOf, heading] of VIEWS) {
    await goTo(page, pathOf(made));
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    const loading = page.locator('.loading');
    while ((await loading.count()) > 0) await loading.first().waitFor({ state: 'detached' });
    problems[name] = await accessibilityProblems(page);
    await screenshot(page, `${name}-${mode}`);
    const isTooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    if (isTooWide) problems[name]?.push('wider than the screen');
  }
  expect(problems).toEqual(Object.fromEntries(Object.keys(problems).map((name) => [name, []])));
  expect(complaints).toEqual([]);
  await context.close();
});

test('hostile text is where it belongs, and only text', async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page, rollcall.url);
  for (const path of [
    `users/${made.userId}`,
    `events/${made.eventId}`,
    'audit',
    `webhooks/${made.webhookId}`,
  ]) {
    await goTo(page, path);
    await page.getByText(ATTACK).first().waitFor();
    expect(await page.locator('main img').count()).toBe(0);
  }
  expect(complaints).toEqual([]);
  await context.close();
});

test('loads little, at once, and nothing moves afterwards', async () => {
  const { page, context } = await newPage(browser);
  await page.addInitScript(`
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  `);
  let bytes = 0;
  const hosts = new Set<string>();
  page.on('requestfinished', async (request) => {
    hosts.add(new URL(request.url()).host);
    if (/console(\/app|$)/.test(new URL(request.url()).pathname))
      bytes += (await request.sizes()).responseBodySize;
  });
  await logIn(page, rollcall.url);
  await page.getByText('Registrations per day').waitFor();
  await page.getByRole('heading', { name: 'Queues' }).waitFor();
  expect(bytes).toBeLessThan(60 * 1024);
  expect([...hosts]).toEqual([new URL(rollcall.url).host]);
  // "Good" by https://web.dev/articles/cls.
  expect(await page.evaluate('shift')).toBeLessThan(0.1);
  await context.close();
});

test('works by keyboard: into a view, into a dialog, and back', async () => {
  const { page, context } = await newPage(browser);
  await logIn(page, rollcall.url);
  await page.keyboard.press('Shift+Tab');
  for (let tabs = 0; (await focused(page)) !== 'Users'; tabs++) {
    if (tabs > 30) throw new Error('The link to the users cannot be reached');
    await page.keyboard.press('Shift+Tab');
  }
  await page.keyboard.press('Enter');
  // The heading gets the focus, after it is shown.
  await page.getByRole('heading', { name: 'Users' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('New user');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'New user' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('New user');
  await context.close();
});

function focused(page: { evaluate(script: string): Promise<unknown> }): Promise<unknown> {
  return page.evaluate('document.activeElement.textContent');
}
