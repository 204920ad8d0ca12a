import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Search, SearchX } from 'lucide-react';
import { useDeferredValue, useEffect, useState } from 'react';
import { menuQuery } from '../api/queries.ts';
import { categoriesOf, search, titleCase } from '../domain/menu.ts';
import { cn } from '../ui/cn.ts';
import { Empty, Failed, SkeletonRows } from '../ui/feedback.tsx';
import { Input } from '../ui/field.tsx';
import { useMedia, useObservable, useTitle } from '../ui/hooks.ts';
import { ActiveOrders } from './active-orders.tsx';
import { CartBar } from './cart-bar.tsx';
import { CartPanel } from './cart-panel.tsx';
import { checkout, dismissCheckout, resumeCheckout } from './checkout.ts';
import { loadCart } from './kept.ts';
import { MenuCard } from './menu-card.tsx';

export function MenuPage() {
  useTitle('Menu');
  useCheckoutOnPage();
  const wide = useMedia('(min-width: 64rem)');
  return (
    <div className="grid gap-8 lg:grid-cols-[minmax(0,1fr)_23rem]">
      <div className="min-w-0 space-y-5">
        <h1 className="sr-only">Menu</h1>
        <ActiveOrders />
        <MenuList />
      </div>
      {wide ? (
        <aside
          aria-label="Your order"
          className="sticky top-22 max-h-[calc(100dvh-7rem)] self-start"
        >
          <CartPanel />
        </aside>
      ) : (
        <CartBar />
      )}
    </div>
  );
}

/** Takes up what was left open, and follows a placed order to its tracker. */
function useCheckoutOnPage(): void {
  const navigate = useNavigate();
  const step = useObservable(checkout);
  useEffect(() => {
    loadCart();
    resumeCheckout();
  }, []);
  useEffect(() => {
    if (step?.kind !== 'placed') return;
    const { orderId } = step.order;
    dismissCheckout();
    void navigate({ to: '/orders/$orderId', params: { orderId } });
  }, [step, navigate]);
}

function MenuList() {
  const { data: menu, error, refetch } = useQuery(menuQuery);
  const [query, setQuery] = useState('');
  const [category, setCategory] = useState<string | undefined>(undefined);
  const wanted = useDeferredValue(query);
  const categories = categoriesOf(menu ?? []);
  const chosen = category !== undefined && categories.includes(category) ? category : undefined;
  const found = search(menu ?? [], wanted, chosen);
  return (
    <section aria-label="Menu" className="space-y-5">
      <div className="space-y-3">
        <div className="relative">
          <Search
            aria-hidden
            className="text-muted-foreground pointer-events-none absolute top-1/2 left-3.5 size-5 -translate-y-1/2"
          />
          <Input
            type="search"
            aria-label="Search the menu"
            placeholder="What would you like?"
            className="h-12 rounded-2xl pl-11 [&::-webkit-search-cancel-button]:grayscale"
            maxLength={100}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <Categories categories={categories} chosen={chosen} onChoose={setCategory} />
      </div>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!menu && !error && <SkeletonRows rows={6} className="h-24" />}
      {menu && found.length === 0 && (
        <Empty icon={<SearchX />} title={menu.length === 0 ? 'The menu is empty' : 'Nothing found'}>
          {menu.length === 0 ? 'Come back a little later.' : 'Try another word or category.'}
        </Empty>
      )}
      {(chosen === undefined ? categories : [chosen]).map((name) => {
        const items = found.filter((item) => item.category === name);
        if (items.length === 0) return null;
        return (
          <div key={name} className="space-y-3">
            <h2 className="text-lg font-semibold">{titleCase(name)}</h2>
            <ul className="grid gap-3 sm:grid-cols-2">
              {items.map((item) => (
                <MenuCard key={item.itemId} item={item} />
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

function Categories({
  categories,
  chosen,
  onChoose,
}: {
  categories: readonly string[];
  chosen: string | undefined;
  onChoose: (category: string | undefined) => void;
}) {
  const all: readonly (string | undefined)[] = [undefined, ...categories];
  return (
    <fieldset className="flex min-h-10 min-w-0 gap-2 overflow-x-auto p-0.5">
      <legend className="sr-only">Category</legend>
      {all.map((category) => (
        <button
          key={category ?? ''}
          type="button"
          aria-pressed={chosen === category}
          onClick={() => onChoose(category)}
          className={cn(
            'h-10 rounded-full border px-4 text-sm font-semibold whitespace-nowrap transition-colors',
            chosen === category
              ? 'bg-foreground text-background border-transparent'
              : 'bg-card hover:bg-muted',
          )}
        >
          {category === undefined ? 'All' : titleCase(category)}
        </button>
      ))}
    </fieldset>
  );
}
