import type { Role } from '@rushlight/contracts';
import {
  ChefHat,
  Gauge,
  Inbox,
  type LucideIcon,
  Package,
  ReceiptText,
  Scale,
  UsersRound,
  UtensilsCrossed,
  Wallet,
} from 'lucide-react';

export type NavEntry = {
  readonly to:
    | '/menu'
    | '/orders'
    | '/wallet'
    | '/kitchen'
    | '/admin'
    | '/admin/stock'
    | '/admin/users'
    | '/admin/dead-letters'
    | '/admin/audit';
  readonly label: string;
  /** For the narrow bar at the bottom of a phone. */
  readonly short?: string;
  readonly icon: LucideIcon;
  readonly exact?: boolean;
};

const student: readonly NavEntry[] = [
  { to: '/menu', label: 'Menu', icon: UtensilsCrossed },
  { to: '/orders', label: 'Orders', icon: ReceiptText },
  { to: '/wallet', label: 'Wallet', icon: Wallet },
];

const kitchen: readonly NavEntry[] = [{ to: '/kitchen', label: 'Kitchen', icon: ChefHat }];

const admin: readonly NavEntry[] = [
  { to: '/admin', label: 'Overview', icon: Gauge, exact: true },
  { to: '/admin/stock', label: 'Stock', icon: Package },
  { to: '/admin/users', label: 'Users', icon: UsersRound },
  { to: '/admin/dead-letters', label: 'Dead letters', short: 'Letters', icon: Inbox },
  { to: '/admin/audit', label: 'Audit', icon: Scale },
  { to: '/kitchen', label: 'Kitchen', icon: ChefHat },
];

/** The links of a role, in order. */
export function navOf(role: Role): readonly NavEntry[] {
  switch (role) {
    case 'student':
      return student;
    case 'kitchen':
      return kitchen;
    case 'admin':
      return admin;
  }
}

/** On a phone everything is reached with the thumb; a single page needs no bar. */
export function bottomNavOf(role: Role): readonly NavEntry[] {
  const entries = navOf(role);
  return entries.length > 1 ? entries : [];
}
