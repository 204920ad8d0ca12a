import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, orderMeals, pickupNumber, waitForStep } from '../src/browser.ts';
import { type BrowserShop, startBrowserShop } from '../src/browser-shop.ts';

// The kitchen's display and its buttons, in a real browser, in a kitchen that works by hand.

let visit: BrowserShop;
const enter: BrowserShop['enter'] = (who, options) => visit.enter(who, options);

beforeAll(async () => {
  if (hasBrowser) visit = await startBrowserShop({ settings: { RUSHLIGHT_KITCHEN_AUTO: 'false' } });
});
afterAll(() => visit?.stop());

test.runIf(hasBrowser)('the kitchen hands the meal over, and the student sees it', async () => {
  const student = await enter('student2');
  const kitchen = await enter('kitchen', { viewport: { width: 1280, height: 800 } });
  await orderMeals(student.page, 'Chicken biryani');
  await waitForStep(student.page, 'In kitchen');
  const number = await pickupNumber(student.page);
  const ticket = kitchen.page.getByRole('listitem', { name: `Ticket ${number}`, exact: true });
  await kitchen.page.getByRole('button', { name: `Ticket ${number} ready`, exact: true }).click();
  await waitForStep(student.page, 'Ready');
  await kitchen.page.getByRole('button', { name: `Ticket ${number} collected` }).click();
  await ticket.waitFor({ state: 'detached' });
  await waitForStep(student.page, 'Collected');
  expect([...student.mistakes, ...kitchen.mistakes]).toEqual([]);
});

test.runIf(hasBrowser)(
  'a refused meal is told with its reason, and the money comes back',
  async () => {
    const student = await enter('student3');
    const kitchen = await enter('kitchen', { viewport: { width: 1280, height: 800 } });
    await orderMeals(student.page, 'Chicken biryani');
    await waitForStep(student.page, 'In kitchen');
    const number = await pickupNumber(student.page);
    await kitchen.page
      .getByRole('button', { name: `Refuse ticket ${number}`, exact: true })
      .click();
    const dialog = kitchen.page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('The oven is out');
    await dialog.getByRole('button', { name: /refuse/i }).click();
    await waitForStep(student.page, 'Cancelled');
    await student.page.goto('/wallet');
    await student.page.getByText('Money back').waitFor();
    expect(student.mistakes).toEqual([]);
  },
);
