// A platform and a browser that visits it.

import type { Browser } from 'playwright-core';
import { logIn, openBrowser, openPage, type Visit } from './browser.ts';
import { demoPasswords, type Shop, type ShopOptions, startShop } from './platform.ts';

export type BrowserShop = {
  shop: Shop;
  browser: Browser;
  /** Opens a page of its own for this demo login. */
  enter(who: string, options?: Parameters<typeof openPage>[2]): Promise<Visit>;
  stop(): Promise<void>;
};

export async function startBrowserShop(options: ShopOptions): Promise<BrowserShop> {
  const [shop, browser] = await Promise.all([startShop(options), openBrowser()]);
  return {
    shop,
    browser,
    enter: async (who, pageOptions) => {
      const visit = await openPage(browser, shop.platform.url, pageOptions);
      await logIn(visit.page, who, demoPasswords[who] ?? 'password123');
      return visit;
    },
    stop: async () => {
      await browser.close();
      await shop.stop();
    },
  };
}
