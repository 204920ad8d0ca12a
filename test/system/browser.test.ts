import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, openPage, orderMeals, pickupNumber, waitForStep } from '../src/browser.ts';
import { type BrowserShop, startBrowserShop } from '../src/browser-shop.ts';
import { eventually } from '../src/eventually.ts';

// What a student and an admin see and do, in a real browser against the real platform.

let visit: BrowserShop;
const enter: BrowserShop['enter'] = (who, options) => visit.enter(who, options);

beforeAll(async () => {
  if (hasBrowser) visit = await startBrowserShop({ cookS: 2 });
});
afterAll(() => visit?.stop());

test.runIf(hasBrowser)(
  'a student orders two things and sees them cooked, without polling',
  async () => {
    const { page, mistakes, asked } = await enter('student1');
    await orderMeals(page, 'Chicken biryani', 'Mint lemonade');
    await waitForStep(page, 'In kitchen');
    expect(await pickupNumber(page)).toMatch(/^\d+$/);
    await waitForStep(page, 'Ready');
    const looks = asked.filter((call) => /^GET \/api\/v1\/orders\/[^/]+$/.test(call));
    expect(looks.length, asked.join('\n')).toBeLessThanOrEqual(4);
    expect(mistakes).toEqual([]);

    await page.goto('/orders');
    await page.getByText('Chicken biryani').first().waitFor();
    await page.goto('/wallet');
    await eventually('the wallet shows what was paid', async () => {
      const balance = (await page.getByTestId('wallet-balance').textContent()) ?? '';
      return /\d/.test(balance) && !balance.includes('1,000.00');
    });
  },
);

test.runIf(hasBrowser)('an admin kills a service and sees it die and come back', async () => {
  const { page, mistakes } = await enter('admin', { viewport: { width: 1280, height: 900 } });
  const card = page.getByRole('listitem', { name: 'kitchen', exact: true });
  await card.waitFor();
  const pidOf = (): number | null =>
    visit.shop.platform.parts().find((part) => part.name === 'kitchen')?.pid ?? null;
  const before = pidOf();
  await page.getByRole('button', { name: 'Kill kitchen', exact: true }).click();
  await page.getByRole('button', { name: 'Kill it', exact: true }).click();
  await eventually('another process runs the kitchen', () => {
    const now = pidOf();
    return now !== null && now !== before;
  });
  await eventually('the grid shows its new process', async () =>
    (await card.textContent())?.includes(String(pidOf())),
  );
  await eventually(
    'the grid says that it is up',
    async () => (await card.getAttribute('data-state')) === 'up',
  );
  expect(mistakes).toEqual([]);
});

test.runIf(hasBrowser)(
  'a page says when live updates are interrupted, and goes on by itself',
  async () => {
    const { page } = await enter('student4');
    await orderMeals(page, 'Chicken biryani');
    const notice = page.getByText('Live updates are interrupted');
    const token = await visit.shop.admin();
    const body = { fault: 'kill', target: 'notifications', durationS: 2 };
    const response = await fetch(`${visit.shop.platform.url}/api/v1/lab/faults`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
    await notice.waitFor();
    await notice.waitFor({ state: 'hidden' });
    await waitForStep(page, 'Ready');
  },
);

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true } as const;

test.runIf(hasBrowser).each(['light', 'dark'] as const)(
  'every page of a student fits a small phone, %s',
  async (colorScheme) => {
    const { page, mistakes } = await enter('student5', { ...phone, colorScheme });
    for (const path of ['/menu', '/orders', '/wallet']) {
      await page.goto(path);
      await page.getByRole('main').waitFor();
      const overflow = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow, `${path} is wider than the phone`).toBeLessThanOrEqual(0);
    }
    expect(mistakes).toEqual([]);
  },
);

test.runIf(hasBrowser)('a wrong password is told plainly, and nobody is logged in', async () => {
  const { page } = await openPage(visit.browser, visit.shop.platform.url);
  await page.goto('/login');
  await page.getByLabel('Student ID').fill('student6');
  await page.getByLabel('Password').fill('not-the-password');
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.getByText('The id or the password is wrong', { exact: false }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/login');
});
