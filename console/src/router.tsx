// Which page stands at which path, and who may see it. What a role may do is decided by the platform;
// here it only keeps people from pages that would be empty for them.

import type { Role } from '@rushlight/contracts';
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { homeOf, session, wasLeft } from './api/session.ts';
import { LoginPage } from './login/login-page.tsx';
import { AppShell } from './shell/app-shell.tsx';
import { CrashPage, NotFoundPage } from './shell/other-pages.tsx';
import { MenuPage } from './student/menu-page.tsx';
import { OrderPage } from './student/order-page.tsx';
import { OrdersPage } from './student/orders-page.tsx';
import { WalletPage } from './student/wallet-page.tsx';

const rootRoute = createRootRoute({ component: Outlet });

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    const user = session.get();
    throw redirect(user ? { to: homeOf(user.role) } : { to: '/login' });
  },
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: ({ next }: Record<string, unknown>): { next?: string } =>
    isOwnPath(next) ? { next } : {},
  beforeLoad: ({ search }) => {
    const user = session.get();
    if (user) throw redirect({ to: search.next ?? homeOf(user.role), replace: true });
  },
  component: LoginPage,
});

/** A path of ours, not the address of another site. */
function isOwnPath(next: unknown): next is string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next);
}

function guard(allowed: readonly Role[]) {
  return ({ location }: { location: { href: string } }) => {
    const user = session.get();
    const search = wasLeft() ? {} : { next: location.href };
    if (!user) throw redirect({ to: '/login', search });
    if (!allowed.includes(user.role)) throw redirect({ to: homeOf(user.role), replace: true });
  };
}

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: AppShell,
});

const student = (path: '/menu' | '/orders' | '/wallet') =>
  ({ getParentRoute: () => shellRoute, path, beforeLoad: guard(['student']) }) as const;

const menuRoute = createRoute({ ...student('/menu'), component: MenuPage });
const ordersRoute = createRoute({ ...student('/orders'), component: OrdersPage });
const walletRoute = createRoute({ ...student('/wallet'), component: WalletPage });
const orderRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders/$orderId',
  beforeLoad: guard(['student']),
  component: OrderPage,
});

const kitchenRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/kitchen',
  beforeLoad: guard(['kitchen', 'admin']),
  component: lazyRouteComponent(() => import('./kitchen/kitchen-page.tsx'), 'KitchenPage'),
});

const adminRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin',
  beforeLoad: guard(['admin']),
});

const adminPages = [
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/',
    component: lazyRouteComponent(() => import('./admin/overview-page.tsx'), 'OverviewPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/stock',
    component: lazyRouteComponent(() => import('./admin/stock-page.tsx'), 'StockPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/users',
    component: lazyRouteComponent(() => import('./admin/users-page.tsx'), 'UsersPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/dead-letters',
    component: lazyRouteComponent(() => import('./admin/dead-letters-page.tsx'), 'DeadLettersPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/audit',
    component: lazyRouteComponent(() => import('./admin/audit-page.tsx'), 'AuditPage'),
  }),
] as const;

const pages = [
  menuRoute,
  ordersRoute,
  walletRoute,
  orderRoute,
  kitchenRoute,
  adminRoute.addChildren(adminPages),
] as const;

export const router = createRouter({
  routeTree: rootRoute.addChildren([startRoute, loginRoute, shellRoute.addChildren(pages)]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultNotFoundComponent: NotFoundPage,
  defaultErrorComponent: CrashPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
