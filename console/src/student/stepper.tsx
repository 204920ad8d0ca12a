import { Minus, Plus } from 'lucide-react';
import { Button } from '../ui/button.tsx';

/** How many of an item: one less, the number, one more. */
export function Stepper({
  name,
  quantity,
  max,
  disabled,
  onChange,
}: {
  name: string;
  quantity: number;
  max: number;
  disabled?: boolean;
  onChange: (quantity: number) => void;
}) {
  return (
    <div className="bg-muted flex shrink-0 items-center rounded-xl">
      <Button
        variant="ghost"
        size="icon-sm"
        disabled={disabled}
        aria-label={`One less ${name}`}
        onClick={() => onChange(quantity - 1)}
      >
        <Minus />
      </Button>
      <output
        aria-label={`${name} in your order`}
        className="w-6 text-center font-semibold tabular-nums"
      >
        {quantity}
      </output>
      <Button
        variant="ghost"
        size="icon-sm"
        disabled={disabled || quantity >= max}
        aria-label={`One more ${name}`}
        onClick={() => onChange(quantity + 1)}
      >
        <Plus />
      </Button>
    </div>
  );
}
