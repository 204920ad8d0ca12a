import type { OrderView } from '@rushlight/contracts';
import { isEnded, statusSentence } from '../domain/order-status.ts';
import { countdown, timeOfDay } from '../domain/time.ts';
import { Flame } from '../shell/brand.tsx';
import { Card } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';
import { useNowMs } from '../ui/hooks.ts';
import { StatusBadge } from './status-badge.tsx';

/** The number to show at the counter, and where the order stands. */
export function PickupCard({ order }: { order: OrderView }) {
  const ready = order.status === 'ready';
  const failed = order.status === 'rejected' || order.status === 'cancelled';
  return (
    <Card
      className={cn('flex flex-col items-center gap-3 px-5 py-8 text-center transition-colors', {
        'bg-good-soft border-good/50': ready,
      })}
    >
      <StatusBadge status={order.status} className={ready ? 'bg-good/20' : undefined} />
      <p className="text-muted-foreground text-sm font-semibold">Pick-up number</p>
      <p
        data-testid="pickup-number"
        className={cn('font-display leading-none font-bold', {
          'text-8xl sm:text-9xl': order.pickupNumber < 10_000,
          'text-6xl': order.pickupNumber >= 10_000,
          'text-muted-foreground/60 line-through decoration-4': failed,
          'text-good-ink': ready,
        })}
      >
        {order.pickupNumber}
      </p>
      <p role="status" aria-label="Order status" className="min-h-12 max-w-sm text-balance">
        {statusSentence(order)}
      </p>
      {!isEnded(order.status) && !ready && <Estimate order={order} />}
    </Card>
  );
}

function Estimate({ order }: { order: OrderView }) {
  const nowMs = useNowMs(1_000);
  const position = order.queuePosition;
  return (
    <div className="flex min-h-12 items-center gap-3 text-left">
      <Flame className="h-9 w-7 shrink-0" />
      <div className="text-sm">
        {order.readyAt ? (
          <p className="font-semibold tabular-nums">
            Ready {countdown(order.readyAt, nowMs)}
            <span className="text-muted-foreground font-normal"> · {timeOfDay(order.readyAt)}</span>
          </p>
        ) : (
          <p className="text-muted-foreground">The time comes with the kitchen ticket.</p>
        )}
        {position !== undefined && (
          <p className="text-muted-foreground tabular-nums">
            {position <= 1 ? 'Next in line' : `Number ${position} in line`}
          </p>
        )}
      </div>
    </div>
  );
}
