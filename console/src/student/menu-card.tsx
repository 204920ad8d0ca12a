import { limits, type MenuItem } from '@rushlight/contracts';
import {
  CakeSlice,
  CupSoda,
  type LucideIcon,
  Plus,
  Salad,
  Soup,
  UtensilsCrossed,
} from 'lucide-react';
import { useRef } from 'react';
import { quantityOf, setQuantity } from '../domain/cart.ts';
import { leftText } from '../domain/menu.ts';
import { money } from '../domain/money.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { useObservable } from '../ui/hooks.ts';
import { cart, keepCart } from './kept.ts';
import { Stepper } from './stepper.tsx';

const icons: Record<string, LucideIcon> = {
  mains: Soup,
  sides: Salad,
  drinks: CupSoda,
  desserts: CakeSlice,
};

const tones = { plenty: 'neutral', few: 'busy', none: 'bad' } as const;

export function MenuCard({ item }: { item: MenuItem }) {
  const lines = useObservable(cart);
  const quantity = quantityOf(lines, item.itemId);
  const card = useRef<HTMLLIElement>(null);
  const left = leftText(item.available);
  const soldOut = left.level === 'none';
  const change = (wanted: number) => {
    keepCart(setQuantity(lines, item.itemId, wanted));
    if (quantity === 0 || wanted === 0) requestAnimationFrame(() => focusOn(card.current));
  };
  const Icon = icons[item.category.toLowerCase()] ?? UtensilsCrossed;
  return (
    <li
      ref={card}
      aria-label={item.name}
      data-sold-out={soldOut || undefined}
      className="bg-card shadow-soft flex min-h-24 items-center gap-3.5 rounded-2xl border p-3.5"
    >
      <span
        className={cn('grid size-14 shrink-0 place-items-center rounded-xl', {
          'bg-primary-soft text-primary-ink': !soldOut,
          'bg-muted text-muted-foreground': soldOut,
        })}
      >
        <Icon className="size-6.5" strokeWidth={1.6} aria-hidden />
      </span>
      <div className="min-w-0 flex-1">
        <h3
          className={cn('font-sans leading-snug font-semibold tracking-normal', {
            'text-muted-foreground': soldOut,
          })}
        >
          {item.name}
        </h3>
        <p className="mt-1 flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="font-semibold tabular-nums">{money(item.priceCents)}</span>
          <Badge tone={tones[left.level]} className="tabular-nums">
            {left.text}
          </Badge>
        </p>
      </div>
      {quantity > 0 ? (
        <Stepper
          name={item.name}
          quantity={quantity}
          max={Math.min(limits.quantityMax, item.available)}
          onChange={change}
        />
      ) : (
        <Button
          variant="soft"
          size="icon"
          disabled={soldOut || lines.length >= limits.linesMax}
          aria-label={`Add ${item.name}`}
          onClick={() => change(1)}
        >
          <Plus className="size-5!" />
        </Button>
      )}
    </li>
  );
}

/** One button takes the place of another: the focus moves along, for those who use the keyboard. */
function focusOn(card: HTMLElement | null): void {
  const buttons = card?.querySelectorAll<HTMLButtonElement>('button:not(:disabled)');
  if (buttons) [...buttons].at(-1)?.focus({ preventScroll: true });
}
