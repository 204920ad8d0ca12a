import { limits } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { ShoppingBag } from 'lucide-react';
import { menuQuery, walletQuery } from '../api/queries.ts';
import {
  type CartLine,
  emptyCart,
  priced,
  setQuantity,
  totalCents,
  troubleText,
} from '../domain/cart.ts';
import { money } from '../domain/money.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { useObservable } from '../ui/hooks.ts';
import { checkout, placeOrder } from './checkout.ts';
import { CheckoutNote } from './checkout-note.tsx';
import { cart, keepCart } from './kept.ts';
import { Stepper } from './stepper.tsx';

/** The cart beside the menu. */
export function CartPanel() {
  return (
    <Card className="flex max-h-full flex-col gap-4 overflow-y-auto p-5">
      <h2 className="text-xl font-semibold">Your order</h2>
      <CartContent />
    </Card>
  );
}

/** What is in the cart, what it costs, and the way to the checkout. */
export function CartContent() {
  const lines = useObservable(cart);
  const step = useObservable(checkout);
  const { data: menu } = useQuery(menuQuery);
  const open = step !== undefined && step.kind !== 'refused';
  if (lines.length === 0 && !step) return <EmptyCart />;
  const shown = menu ? priced(lines, menu) : [];
  return (
    <div className="space-y-4">
      <ul className="divide-y">
        {shown.map((line) => (
          <CartRow key={line.itemId} line={line} locked={open} />
        ))}
      </ul>
      {lines.length > 0 && <Total lines={shown} locked={open} />}
      {step && <CheckoutNote step={step} />}
      {!open && (
        <PlaceButton
          disabled={!menu || lines.length === 0 || shown.some((line) => line.trouble)}
          text={`Place order · ${money(totalCents(shown))}`}
        />
      )}
    </div>
  );
}

function PlaceButton({ disabled, text }: { disabled: boolean; text: string }) {
  return (
    <Button
      size="lg"
      className="w-full tabular-nums"
      aria-label="Place order"
      disabled={disabled}
      onClick={placeOrder}
    >
      {text}
    </Button>
  );
}

function EmptyCart() {
  return (
    <div className="text-muted-foreground flex flex-col items-center gap-2 py-8 text-center text-sm">
      <ShoppingBag className="size-8" strokeWidth={1.4} aria-hidden />
      <p>Nothing here yet. Add something from the menu.</p>
    </div>
  );
}

function CartRow({ line, locked }: { line: CartLine; locked: boolean }) {
  const trouble = troubleText(line);
  const change = (wanted: number) => keepCart(setQuantity(cart.get(), line.itemId, wanted));
  return (
    <li className="flex items-center gap-3 py-3 first:pt-0" aria-label={`${line.name} in the cart`}>
      <div className="min-w-0 flex-1">
        <p className="leading-snug font-medium">{line.name}</p>
        {trouble ? (
          <p className="text-bad-ink text-sm font-semibold">{trouble}</p>
        ) : (
          <p className="text-muted-foreground text-sm tabular-nums">{money(line.totalCents)}</p>
        )}
      </div>
      <Stepper
        name={line.name}
        quantity={line.quantity}
        max={Math.min(limits.quantityMax, line.available)}
        disabled={locked}
        onChange={change}
      />
    </li>
  );
}

function Total({ lines, locked }: { lines: readonly CartLine[]; locked: boolean }) {
  const total = totalCents(lines);
  const { data: wallet } = useQuery(walletQuery);
  const short = wallet !== undefined && wallet.balanceCents < total;
  return (
    <div className="space-y-1 border-t pt-3">
      <div className="flex items-baseline justify-between">
        <span className="font-semibold">Total</span>
        <span className="font-display text-xl font-semibold tabular-nums">{money(total)}</span>
      </div>
      <div className="flex min-h-8 items-center justify-between gap-2 text-sm">
        <span className={short ? 'text-bad-ink font-semibold' : 'text-muted-foreground'}>
          {wallet
            ? `${short ? 'Only ' : ''}${money(wallet.balanceCents)} in your wallet`
            : '\u00a0'}
        </span>
        {!locked && (
          <Button variant="ghost" size="sm" onClick={() => keepCart(emptyCart)}>
            Empty the cart
          </Button>
        )}
      </div>
    </div>
  );
}
