import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { recentOrdersQuery } from '../api/queries.ts';
import { isEnded, linesText, statusTexts } from '../domain/order-status.ts';
import { cn } from '../ui/cn.ts';

const shownMax = 3;

/** The orders under way, above the menu: one tap to each tracker. */
export function ActiveOrders() {
  const { data: orders } = useQuery(recentOrdersQuery);
  const active = (orders ?? []).filter(({ status }) => !isEnded(status)).slice(0, shownMax);
  if (active.length === 0) return null;
  return (
    <section aria-label="Orders under way" className="flex gap-2 overflow-x-auto p-0.5 pb-2">
      {active.map((order) => (
        <Link
          key={order.orderId}
          to="/orders/$orderId"
          params={{ orderId: order.orderId }}
          className={cn('flex max-w-sm min-w-64 flex-1 items-center gap-3 rounded-2xl border p-3', {
            'bg-good-soft border-good/40': order.status === 'ready',
            'bg-primary-soft border-transparent': order.status !== 'ready',
          })}
        >
          <span className="font-display min-w-10 text-center text-2xl font-semibold tabular-nums">
            {order.pickupNumber}
          </span>
          <span className="min-w-0 flex-1 space-y-0.5">
            <span className="block text-sm font-semibold">{statusTexts[order.status].label}</span>
            <span className="text-muted-foreground block truncate text-sm">
              {linesText(order.lines)}
            </span>
          </span>
          <ChevronRight className="text-muted-foreground size-5" aria-hidden />
        </Link>
      ))}
    </section>
  );
}
