import type { Item } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { PackageOpen, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { itemsQuery } from '../api/queries.ts';
import { leftText } from '../domain/menu.ts';
import { money } from '../domain/money.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Empty, Failed, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';
import { Table, Td, Th } from '../ui/table.tsx';
import { AddItemDialog } from './add-item-dialog.tsx';
import { EditItemDialog } from './edit-item-dialog.tsx';
import { RemoveItem } from './remove-item.tsx';

type Open = { kind: 'add' } | { kind: 'edit'; item: Item } | { kind: 'remove'; item: Item };

export function StockPage() {
  useTitle('Stock');
  const { data: items, error, refetch } = useQuery(itemsQuery);
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const close = () => setOpen(undefined);
  return (
    <div className="space-y-4">
      <div className="flex items-center justify-between gap-4">
        <h1 className="text-2xl font-semibold">Stock</h1>
        <Button onClick={() => setOpen({ kind: 'add' })}>
          <Plus /> Add an item
        </Button>
      </div>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!items && !error && <SkeletonRows rows={8} className="h-13" />}
      {items?.length === 0 && (
        <Empty icon={<PackageOpen />} title="The menu is empty">
          Add an item, and students can order it at once.
        </Empty>
      )}
      {items && items.length > 0 && <StockTable items={items} onOpen={setOpen} />}
      <AddItemDialog open={open?.kind === 'add'} onClose={close} />
      <EditItemDialog item={open?.kind === 'edit' ? open.item : undefined} onClose={close} />
      <RemoveItem item={open?.kind === 'remove' ? open.item : undefined} onClose={close} />
    </div>
  );
}

function StockTable({ items, onOpen }: { items: readonly Item[]; onOpen: (open: Open) => void }) {
  return (
    <Card className="overflow-hidden">
      <Table label="Items">
        <thead>
          <tr>
            <Th>Item</Th>
            <Th className="max-sm:hidden">Category</Th>
            <Th className="text-right">Price</Th>
            <Th className="text-right">Available</Th>
            <Th className="text-right max-md:hidden">On hand</Th>
            <Th className="text-right max-md:hidden">Reserved</Th>
            <Th className="text-right max-lg:hidden">Version</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody className="[&_tr:last-child_td]:border-b-0">
          {items.map((item) => (
            <StockRow key={item.itemId} item={item} onOpen={onOpen} />
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

const tones = { plenty: 'good', few: 'busy', none: 'bad' } as const;

function StockRow({ item, onOpen }: { item: Item; onOpen: (open: Open) => void }) {
  const { level } = leftText(item.available);
  return (
    <tr aria-label={item.name}>
      <Td>
        <span className="block font-semibold">{item.name}</span>
        <span className="text-muted-foreground text-xs">{item.itemId}</span>
      </Td>
      <Td className="max-sm:hidden">{item.category}</Td>
      <Td className="text-right tabular-nums">{money(item.priceCents)}</Td>
      <Td className="text-right">
        <Badge tone={tones[level]} className="tabular-nums">
          {item.available.toLocaleString('en-US')}
        </Badge>
      </Td>
      <Td className="text-right tabular-nums max-md:hidden">
        {item.onHand.toLocaleString('en-US')}
      </Td>
      <Td className="text-right tabular-nums max-md:hidden">
        {item.reserved.toLocaleString('en-US')}
      </Td>
      <Td className="text-muted-foreground text-right tabular-nums max-lg:hidden">
        {item.version}
      </Td>
      <Td className="text-right whitespace-nowrap">
        <Button
          variant="ghost"
          size="icon-sm"
          aria-label={`Edit ${item.name}`}
          onClick={() => onOpen({ kind: 'edit', item })}
        >
          <Pencil />
        </Button>
        <Button
          variant="ghost"
          size="icon-sm"
          aria-label={`Remove ${item.name}`}
          className="text-bad-ink"
          onClick={() => onOpen({ kind: 'remove', item })}
        >
          <Trash2 />
        </Button>
      </Td>
    </tr>
  );
}
