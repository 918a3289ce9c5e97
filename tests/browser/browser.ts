import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { source as axeSource } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ROOT } from '../../scripts/function-files';
import { ADMIN } from './rollcall';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SCREENSHOTS = join(ROOT, 'dist/screenshots');

/** @throws Error naming CHROMIUM if there is no browser */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] || PATHS.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error(
      'There is no Chromium: install it (Debian: apt install chromium), or set CHROMIUM to its path',
    );
  await mkdir(SCREENSHOTS, { recursive: true });
  // Without a sandbox only for root, whom Chromium gives none.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath,
    args: [
      '--disable-background-networking',
      '--disable-gpu',
      '--no-first-run',
      ...(isRoot ? ['--no-sandbox'] : []),
    ],
  });
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** What the browser has complained about: errors of scripts, the policy, resources that were not there. */
  complaints: string[];
}

/** A page of a browser that nobody has used yet. */
export async function newPage(
  browser: Browser,
  options: { dark?: boolean; phone?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: options.phone ? { width: 375, height: 740 } : { width: 1280, height: 860 },
    colorScheme: options.dark ? 'dark' : 'light',
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, complaints };
}

/** On the page for that. */
export async function signIn(page: Page, user: { username: string; password: string }): Promise<void> {
  await page.getByLabel('Username or email address').fill(user.username);
  await page.getByLabel('Password', { exact: true }).fill(user.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Into the console, by the page where everybody signs in. */
export async function logIn(page: Page, url: string, user = ADMIN): Promise<void> {
  await page.goto(url);
  await signIn(page, user);
  await page.getByRole('heading', { name: 'Now' }).waitFor();
}

export async function goTo(page: Page, view: string): Promise<void> {
  const url = new URL(page.url());
  url.hash = `#/${view}`;
  await page.goto(url.toString());
}

/** @returns what breaks WCAG 2.2 AA, as axe finds it */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `axe.run({ runOnly: ${JSON.stringify(tags)} })`,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}
