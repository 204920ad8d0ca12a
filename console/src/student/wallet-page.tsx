import type { publicApi, Reply } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowDownLeft, ArrowUpRight, Wallet } from 'lucide-react';
import { walletQuery } from '../api/queries.ts';
import { money, signedMoney } from '../domain/money.ts';
import { dayAndTime } from '../domain/time.ts';
import { Flame } from '../shell/brand.tsx';
import { Card } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';
import { Empty, Failed, Skeleton, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';

type Entry = Reply<typeof publicApi.wallet>['body']['entries'][number];

const kinds: Record<Entry['kind'], { label: string; sign: 1 | -1 }> = {
  opening: { label: 'Opening balance', sign: 1 },
  top_up: { label: 'Money added', sign: 1 },
  capture: { label: 'Meal', sign: -1 },
  refund: { label: 'Money back', sign: 1 },
};

export function WalletPage() {
  useTitle('Wallet');
  const { data: wallet, error, refetch } = useQuery(walletQuery);
  return (
    <div className="mx-auto max-w-3xl space-y-6">
      <h1 className="text-2xl font-semibold">Wallet</h1>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      <div className="relative overflow-hidden rounded-3xl bg-[oklch(0.235_0.026_52)] p-6 text-[oklch(0.96_0.016_85)] shadow-lg sm:p-8">
        <span
          aria-hidden
          className="absolute -right-16 -bottom-28 size-80 rounded-full bg-[radial-gradient(closest-side,oklch(0.76_0.16_62/0.5),transparent)]"
        />
        <Flame className="absolute top-6 right-6 h-12 w-9 [&>path]:fill-[oklch(0.96_0.016_85)]" />
        <p className="text-sm opacity-80">Balance</p>
        <p
          data-testid="wallet-balance"
          className="font-display mt-1 text-5xl font-semibold tabular-nums"
        >
          {wallet ? money(wallet.balanceCents) : <Skeleton className="h-12 w-44 bg-white/15" />}
        </p>
        <p className="mt-5 text-sm opacity-80">Campus card</p>
      </div>
      <section aria-label="Entries" className="space-y-3">
        <h2 className="text-lg font-semibold">What moved</h2>
        {!wallet && !error && <SkeletonRows rows={4} className="h-16" />}
        {wallet?.entries.length === 0 && (
          <Empty icon={<Wallet />} title="Nothing has moved yet">
            Money can be added at the cafeteria's counter.
          </Empty>
        )}
        {wallet && wallet.entries.length > 0 && <Entries entries={wallet.entries} />}
      </section>
    </div>
  );
}

function Entries({ entries }: { entries: readonly Entry[] }) {
  return (
    <Card>
      <ul className="divide-y">
        {entries.map((entry) => (
          <EntryRow key={`${entry.at} ${entry.kind} ${entry.orderId ?? ''}`} entry={entry} />
        ))}
      </ul>
    </Card>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  const { label, sign } = kinds[entry.kind];
  const cents = sign * Math.abs(entry.amountCents);
  return (
    <li className="flex items-center gap-3.5 px-4 py-3">
      <span
        aria-hidden
        className={cn('grid size-9 shrink-0 place-items-center rounded-full [&_svg]:size-4.5', {
          'bg-good-soft text-good-ink': sign > 0,
          'bg-muted text-muted-foreground': sign < 0,
        })}
      >
        {sign > 0 ? <ArrowDownLeft /> : <ArrowUpRight />}
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium">{label}</p>
        <p className="text-muted-foreground text-sm tabular-nums">
          {dayAndTime(entry.at, Date.now())}
          {entry.orderId && (
            <>
              {' · '}
              <Link
                to="/orders/$orderId"
                params={{ orderId: entry.orderId }}
                className="underline underline-offset-2"
              >
                see the order
              </Link>
            </>
          )}
        </p>
      </div>
      <span className={cn('font-semibold tabular-nums', { 'text-good-ink': sign > 0 })}>
        {signedMoney(cents)}
      </span>
    </li>
  );
}
