// A real browser for tests: Debian's Chromium, or any that is there.

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const places = [
  process.env['RUSHLIGHT_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Where a browser is, or undefined. */
export function findBrowser(): string | undefined {
  return places.find((place) => place !== undefined && existsSync(place));
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error('No Chromium was found; see the first lines of npm test.');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** On a machine without a browser its tests are skipped, and `npm test` says how to get one. */
export const hasBrowser = findBrowser() !== undefined || process.env['CI'] === 'true';

export type Visit = { context: BrowserContext; page: Page; mistakes: string[]; asked: string[] };

/** A fresh visitor of a page, who notes what goes wrong in it and what it asks the platform for. */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Visit> {
  const context = await browser.newContext({ baseURL: url, ...options });
  const page = await context.newPage();
  const mistakes: string[] = [];
  const asked: string[] = [];
  page.on('pageerror', (error) => mistakes.push(`${error.name}: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // What a page hears while a part is down is told by the page itself, in its notices.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) {
      mistakes.push(text);
    }
  });
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/')) asked.push(`${request.method()} ${pathname}`);
  });
  page.setDefaultTimeout(20_000);
  return { context, page, mistakes, asked };
}

export async function logIn(page: Page, studentId: string, password: string): Promise<void> {
  await page.goto('/login');
  await page.getByLabel('Student ID').fill(studentId);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

/** Puts one of each into the cart and places the order; resolves on the page of the order. */
export async function orderMeals(page: Page, ...names: string[]): Promise<void> {
  await page.goto('/menu');
  for (const name of names) {
    await page.getByRole('button', { name: `Add ${name}`, exact: true }).click();
  }
  await page.getByRole('button', { name: 'Place order', exact: true }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}$/);
}

/** Waits until the tracker has come to this step, or past it. */
export async function waitForStep(page: Page, label: string): Promise<void> {
  const steps = page.getByRole('list', { name: 'Progress of your order' }).getByRole('listitem');
  const reached = page.locator('[data-state=now], [data-state=done], [data-state=missed]');
  await steps.and(reached).filter({ hasText: label }).first().waitFor();
}

export async function pickupNumber(page: Page): Promise<string> {
  return (await page.getByTestId('pickup-number').textContent()) ?? '';
}
