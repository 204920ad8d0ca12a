import type { Ticket } from '@rushlight/contracts';
import { Check, PackageCheck, X } from 'lucide-react';
import { countdown, span } from '../domain/time.ts';
import { Button } from '../ui/button.tsx';
import { useTicketAction } from './use-ticket-action.ts';

export function TicketCard({
  ticket,
  nowMs,
  onRefuse,
}: {
  ticket: Ticket;
  nowMs: number;
  onRefuse: (ticket: Ticket) => void;
}) {
  const { status, pickupNumber, readyAt } = ticket;
  return (
    <li
      aria-label={`Ticket ${pickupNumber}`}
      className="bg-card shadow-soft rounded-2xl border p-4"
    >
      <div className="flex items-start justify-between gap-3">
        <p className="font-display text-4xl leading-none font-bold tabular-nums">{pickupNumber}</p>
        <p className="text-muted-foreground text-right text-sm leading-tight tabular-nums">
          {status === 'cooking' && readyAt ? (
            <>
              {ticket.station !== undefined && `Station ${ticket.station}`}
              <br />
              {countdown(readyAt, nowMs)}
            </>
          ) : (
            <>
              {status === 'waiting' && ticket.queuePosition !== undefined && (
                <>
                  Place {ticket.queuePosition}
                  <br />
                </>
              )}
              {span(nowMs - Date.parse(ticket.arrivedAt))} ago
            </>
          )}
        </p>
      </div>
      <ul className="my-3 space-y-1 text-lg leading-snug">
        {ticket.lines.map((line) => (
          <li key={line.itemId} className="flex gap-2.5">
            <span className="text-primary-ink min-w-8 font-bold tabular-nums">
              {line.quantity}×
            </span>
            <span className="min-w-0">{line.name}</span>
          </li>
        ))}
      </ul>
      <Buttons ticket={ticket} onRefuse={onRefuse} />
    </li>
  );
}

function Buttons({ ticket, onRefuse }: { ticket: Ticket; onRefuse: (ticket: Ticket) => void }) {
  const ready = useTicketAction('ticketReady');
  const collected = useTicketAction('ticketCollected');
  const { orderId, pickupNumber, status } = ticket;
  if (status === 'ready') {
    return (
      <Button
        className="w-full"
        variant="outline"
        aria-label={`Ticket ${pickupNumber} collected`}
        disabled={collected.isPending}
        onClick={() => collected.mutate(orderId)}
      >
        <PackageCheck /> Collected
      </Button>
    );
  }
  return (
    <div className="flex gap-2">
      {status === 'cooking' && (
        <Button
          className="flex-1"
          variant="good"
          aria-label={`Ticket ${pickupNumber} ready`}
          disabled={ready.isPending}
          onClick={() => ready.mutate(orderId)}
        >
          <Check /> Ready
        </Button>
      )}
      <Button
        className={status === 'waiting' ? 'flex-1' : ''}
        variant="danger-outline"
        aria-label={`Refuse ticket ${pickupNumber}`}
        onClick={() => onRefuse(ticket)}
      >
        <X /> Refuse
      </Button>
    </div>
  );
}
