// `npm run pictures`: takes the pictures of the documentation, from the real thing.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../scripts/function-files';
import { goTo, launchBrowser, logIn, newPage } from './browser';
import { startRollcall } from './rollcall';

const PICTURES = join(ROOT, 'docs/pictures');

async function main(): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  const rollcall = await startRollcall();
  const browser = await launchBrowser();
  const { page, context } = await newPage(browser);
  await page.setViewportSize({ width: 640, height: 640 });
  await page.goto(`${rollcall.url}/sign-in`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.screenshot({ path: join(PICTURES, 'sign-in.png') });
  await page.setViewportSize({ width: 1420, height: 620 });
  await logIn(page, rollcall.url);

  await fetch(`${rollcall.url}/local/faults/poison`, { method: 'POST', headers: { origin: rollcall.url } });
  const gorden = { username: 'gorden', email: 'gorden@example.com', password: 'correct horse battery' };
  await rollcall.request('POST', '/register', gorden);
  await goTo(page, 'dead-letters');
  await page.getByRole('cell').getByRole('link', { name: 'user.created' }).click();
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('img', { name: /sent again \(redrive\).* handled .* mail/ }).waitFor();
  await page.getByRole('button', { name: 'Close this message' }).click();
  await page.screenshot({ path: join(PICTURES, 'event.png') });

  await goTo(page, 'faults');
  await page.getByRole('button', { name: 'Stop the broker for 10 s' }).click();
  await page.getByRole('button', { name: 'Register 20 users' }).click();
  await page.locator('.vitals div').filter({ hasText: 'Waiting' }).getByText('20').waitFor();
  await page.screenshot({ path: join(PICTURES, 'broker-stopped.png') });
  await context.close();
  await browser.close();
  await rollcall.stop();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
