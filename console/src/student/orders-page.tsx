import type { OrderView } from '@rushlight/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight, ReceiptText } from 'lucide-react';
import { orderPagesQuery } from '../api/queries.ts';
import { money } from '../domain/money.ts';
import { linesText } from '../domain/order-status.ts';
import { dayAndTime } from '../domain/time.ts';
import { Button } from '../ui/button.tsx';
import { Empty, Failed, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';
import { StatusBadge } from './status-badge.tsx';

export function OrdersPage() {
  useTitle('Orders');
  const orders = useInfiniteQuery(orderPagesQuery);
  const items = orders.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="mx-auto max-w-3xl space-y-4">
      <h1 className="text-2xl font-semibold">Your orders</h1>
      {orders.error && <Failed error={orders.error} onRetry={() => void orders.refetch()} />}
      {!orders.data && !orders.error && <SkeletonRows rows={5} />}
      {orders.data && items.length === 0 && (
        <Empty icon={<ReceiptText />} title="No orders yet">
          <p>What you order stands here, with its pick-up number.</p>
          <Button asChild className="mt-4">
            <Link to="/menu">See the menu</Link>
          </Button>
        </Empty>
      )}
      <ul aria-label="Your orders" className="space-y-2.5">
        {items.map((order) => (
          <OrderRow key={order.orderId} order={order} />
        ))}
      </ul>
      {orders.hasNextPage && (
        <Button
          variant="outline"
          className="w-full"
          disabled={orders.isFetchingNextPage}
          onClick={() => void orders.fetchNextPage()}
        >
          {orders.isFetchingNextPage ? 'Loading…' : 'Show older orders'}
        </Button>
      )}
    </div>
  );
}

function OrderRow({ order }: { order: OrderView }) {
  const placedAt = order.history[0]?.at;
  return (
    <li>
      <Link
        to="/orders/$orderId"
        params={{ orderId: order.orderId }}
        aria-label={`Order ${order.pickupNumber}`}
        className="bg-card shadow-soft hover:bg-muted/60 flex items-center gap-4 rounded-2xl border p-3.5 transition-colors"
      >
        <span className="bg-muted font-display grid h-14 min-w-14 shrink-0 place-items-center rounded-xl px-2 text-xl font-semibold tabular-nums">
          {order.pickupNumber}
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate font-semibold">{linesText(order.lines)}</span>
          <span className="mt-1 flex flex-wrap items-center gap-x-2.5 gap-y-1 text-sm">
            <StatusBadge status={order.status} />
            <span className="text-muted-foreground tabular-nums">
              {money(order.totalCents)}
              {placedAt && ` · ${dayAndTime(placedAt, Date.now())}`}
            </span>
          </span>
        </span>
        <ChevronRight className="text-muted-foreground size-5 shrink-0" aria-hidden />
      </Link>
    </li>
  );
}
