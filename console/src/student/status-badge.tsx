import type { OrderStatus } from '@rushlight/contracts';
import { statusTexts } from '../domain/order-status.ts';
import { Badge } from '../ui/badge.tsx';

export function StatusBadge({
  status,
  className,
}: {
  status: OrderStatus;
  className?: string | undefined;
}) {
  const { label, tone } = statusTexts[status];
  return (
    <Badge tone={tone} className={className}>
      {label}
    </Badge>
  );
}
