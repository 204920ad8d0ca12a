// The public API: every route that the gateway serves under /api/v1.

import { accountApi } from './account-routes.ts';
import { adminApi } from './admin-routes.ts';
import { kitchenDisplayApi } from './kitchen-routes.ts';
import { labApi } from './lab-routes.ts';
import { orderApi } from './order-routes.ts';

export const publicApi = {
  ...accountApi,
  ...orderApi,
  ...kitchenDisplayApi,
  ...adminApi,
  ...labApi,
} as const;

export type PublicRouteName = keyof typeof publicApi;
