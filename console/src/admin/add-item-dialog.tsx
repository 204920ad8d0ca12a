import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { itemsQuery } from '../api/queries.ts';
import { itemIdFrom } from '../domain/item-edit.ts';
import { parseMoney } from '../domain/money.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field, SelectField } from '../ui/field.tsx';

export function AddItemDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Modal
      open={open}
      onOpenChange={(now) => !now && onClose()}
      title="Add an item"
      description="Students can order it as soon as it is saved."
    >
      <AddForm onDone={onClose} />
    </Modal>
  );
}

const blank = { name: '', category: 'mains', price: '', stock: '100' };
type Draft = typeof blank;

function readDraft(draft: Draft) {
  const priceCents = parseMoney(draft.price);
  const stock = /^\d{1,6}$/.test(draft.stock.trim()) ? Number(draft.stock) : null;
  const itemId = itemIdFrom(draft.name);
  if (priceCents === null || stock === null || itemId === '') return undefined;
  return { itemId, name: draft.name.trim(), category: draft.category, priceCents, stock };
}

function AddForm({ onDone }: { onDone: () => void }) {
  const [draft, setDraft] = useState(blank);
  const body = readDraft(draft);
  const add = useMutation({
    mutationFn: async () => {
      if (body) await call(publicApi.addItem, { body });
    },
    onSuccess: () => {
      toast.success(`${draft.name} is on the menu.`);
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: itemsQuery.queryKey }),
  });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <AddFields draft={draft} onDraft={setDraft} itemId={body?.itemId ?? itemIdFrom(draft.name)} />
      {add.error && <Note tone="bad">{errorText(add.error)}</Note>}
      <Button type="submit" className="w-full" disabled={!body || add.isPending}>
        Add to the menu
      </Button>
    </form>
  );
}

function AddFields({
  draft,
  onDraft,
  itemId,
}: {
  draft: Draft;
  onDraft: (draft: Draft) => void;
  itemId: string;
}) {
  const edit = (name: keyof Draft) => (event: { target: { value: string } }) =>
    onDraft({ ...draft, [name]: event.target.value });
  return (
    <>
      <Field
        label="Name"
        value={draft.name}
        maxLength={100}
        hint={itemId ? `Its id will be ${itemId}.` : 'Its id is made from the name.'}
        onChange={edit('name')}
        required
      />
      <SelectField label="Category" value={draft.category} onChange={edit('category')}>
        {['mains', 'sides', 'drinks', 'desserts'].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <div className="grid grid-cols-2 gap-3">
        <Field
          label="Price"
          inputMode="decimal"
          placeholder="4.50"
          value={draft.price}
          onChange={edit('price')}
          required
        />
        <Field
          label="Portions"
          inputMode="numeric"
          value={draft.stock}
          onChange={edit('stock')}
          required
        />
      </div>
    </>
  );
}
