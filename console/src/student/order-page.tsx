import type { OrderView } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { orderQuery } from '../api/queries.ts';
import { nextLookMs } from '../domain/estimate.ts';
import { money } from '../domain/money.ts';
import { statusTexts } from '../domain/order-status.ts';
import { dayAndTime } from '../domain/time.ts';
import { useFallback } from '../live/use-fallback.ts';
import { Card } from '../ui/card.tsx';
import { Failed, Skeleton } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';
import { CancelOrder } from './cancel-order.tsx';
import { PickupCard } from './pickup-card.tsx';
import { Tracker } from './tracker.tsx';

export function OrderPage() {
  const { orderId } = useParams({ from: '/shell/orders/$orderId' });
  const fallback = useFallback();
  const {
    data: order,
    error,
    refetch,
  } = useQuery({
    ...orderQuery(orderId),
    refetchInterval: (query) => fallback(query) || nextLookMs(query.state.data, Date.now()),
  });
  useTitle(order ? `${statusTexts[order.status].label}: number ${order.pickupNumber}` : 'Order');
  return (
    <div className="mx-auto max-w-4xl space-y-5">
      <Link
        to="/orders"
        className="text-muted-foreground hover:text-foreground inline-flex items-center gap-1.5 text-sm font-semibold"
      >
        <ArrowLeft className="size-4" aria-hidden /> All orders
      </Link>
      <h1 className="sr-only">Your order</h1>
      {error && !order && <Failed error={error} onRetry={() => void refetch()} />}
      {!order && !error && <OrderSkeleton />}
      {order && (
        <div className="grid items-start gap-5 md:grid-cols-2">
          <PickupCard order={order} />
          <div className="space-y-5">
            <Tracker order={order} />
            <Receipt order={order} />
            <CancelOrder key={order.orderId} order={order} />
          </div>
        </div>
      )}
    </div>
  );
}

function Receipt({ order }: { order: OrderView }) {
  const placedAt = order.history[0]?.at;
  return (
    <Card className="p-5">
      <h2 className="mb-3 font-semibold">What you ordered</h2>
      <ul className="space-y-2">
        {order.lines.map((line) => (
          <li key={line.itemId} className="flex gap-3">
            <span className="text-muted-foreground w-8 shrink-0 tabular-nums">
              {line.quantity} ×
            </span>
            <span className="min-w-0 flex-1">{line.name}</span>
            <span className="tabular-nums">{money(line.priceCents * line.quantity)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-3 flex justify-between border-t pt-3 font-semibold">
        <span>Total</span>
        <span className="tabular-nums">{money(order.totalCents)}</span>
      </p>
      {placedAt && (
        <p className="text-muted-foreground mt-1 text-sm">
          Placed {dayAndTime(placedAt, Date.now())}
        </p>
      )}
    </Card>
  );
}

function OrderSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-5 md:grid-cols-2">
      <Skeleton className="h-80 rounded-2xl" />
      <div className="space-y-5">
        <Skeleton className="h-72 rounded-2xl" />
        <Skeleton className="h-40 rounded-2xl" />
      </div>
    </div>
  );
}
