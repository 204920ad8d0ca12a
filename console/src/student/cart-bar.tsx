import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { menuQuery } from '../api/queries.ts';
import { portions, priced, totalCents } from '../domain/cart.ts';
import { money } from '../domain/money.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { useObservable } from '../ui/hooks.ts';
import { CartContent } from './cart-panel.tsx';
import { checkout } from './checkout.ts';
import { cart } from './kept.ts';

/** The cart on a phone: a bar over the navigation that opens a sheet. */
export function CartBar() {
  const [open, setOpen] = useState(false);
  const lines = useObservable(cart);
  const step = useObservable(checkout);
  const { data: menu } = useQuery(menuQuery);
  const count = portions(lines);
  const total = menu ? money(totalCents(priced(lines, menu))) : '';
  return (
    <>
      {(count > 0 || step) && (
        <div className="fixed inset-x-0 bottom-[calc(4rem+env(safe-area-inset-bottom))] z-20 p-3 md:bottom-0">
          <Button
            size="lg"
            className="mx-auto flex w-full max-w-xl justify-between rounded-2xl shadow-xl"
            aria-label={`View your order, ${count} ${count === 1 ? 'portion' : 'portions'}`}
            onClick={() => setOpen(true)}
          >
            <span className="grid size-7 place-items-center rounded-full bg-black/15 text-sm tabular-nums">
              {count}
            </span>
            <span>
              {step && step.kind !== 'refused' ? 'Placing your order…' : 'View your order'}
            </span>
            <span className="tabular-nums">{total}</span>
          </Button>
        </div>
      )}
      <CartSheet open={open} onOpenChange={setOpen} />
    </>
  );
}

function CartSheet({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Your order" sheet>
      <CartContent />
    </Modal>
  );
}
