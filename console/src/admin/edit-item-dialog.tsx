import { type Item, publicApi } from '@rushlight/contracts';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { CallError, errorText } from '../api/call-error.ts';
import { itemsQuery } from '../api/queries.ts';
import { type ItemDraft, itemChanges, type StockChange } from '../domain/item-edit.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field, SelectField } from '../ui/field.tsx';

/** Changes an item as it was when the dialog opened: whoever was quicker is not overwritten. */
export function EditItemDialog({ item, onClose }: { item: Item | undefined; onClose: () => void }) {
  return (
    <Modal
      open={item !== undefined}
      onOpenChange={(open) => !open && onClose()}
      title={item ? `Edit ${item.name}` : 'Edit'}
    >
      {item && <EditForm key={item.itemId} opened={item} onDone={onClose} />}
    </Modal>
  );
}

function EditForm({ opened, onDone }: { opened: Item; onDone: () => void }) {
  const [base, setBase] = useState(opened);
  const [draft, setDraft] = useState<ItemDraft>(() => draftOf(opened));
  const { data: items } = useQuery(itemsQuery);
  const now = items?.find(({ itemId }) => itemId === base.itemId) ?? base;
  const plan = itemChanges(base, draft);
  const save = useMutation({
    mutationFn: () => {
      if (plan.kind !== 'changes') throw new Error('nothing to save');
      const params = { itemId: base.itemId };
      return call(publicApi.editItem, { params, body: plan.body });
    },
    onSuccess: () => {
      toast.success(`${draft.name} is saved.`);
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: itemsQuery.queryKey }),
  });
  const stale = save.error instanceof CallError && save.error.code === 'stale_version';
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <ItemFields draft={draft} onDraft={setDraft} wrong={plan.kind === 'wrong' ? plan.why : {}} />
      <p className="text-muted-foreground text-sm tabular-nums">
        {now.available.toLocaleString('en-US')} available, {now.reserved.toLocaleString('en-US')}{' '}
        reserved, {now.onHand.toLocaleString('en-US')} on hand now.
      </p>
      {stale && (
        <StaleNote
          now={now}
          onTakeOver={() => {
            setBase(now);
            save.reset();
          }}
        />
      )}
      {save.error && !stale && <Note tone="bad">{errorText(save.error)}</Note>}
      <Button
        type="submit"
        className="w-full"
        disabled={plan.kind !== 'changes' || save.isPending || stale}
      >
        {save.isPending ? 'Saving…' : 'Save'}
      </Button>
    </form>
  );
}

function draftOf(item: Item): ItemDraft {
  return {
    name: item.name,
    price: (item.priceCents / 100).toFixed(2),
    stockChange: 'keep',
    stock: '',
  };
}

function ItemFields({
  draft,
  onDraft,
  wrong,
}: {
  draft: ItemDraft;
  onDraft: (draft: ItemDraft) => void;
  wrong: Partial<Record<keyof ItemDraft, string>>;
}) {
  return (
    <>
      <Field
        label="Name"
        value={draft.name}
        maxLength={100}
        error={wrong.name}
        onChange={(event) => onDraft({ ...draft, name: event.target.value })}
      />
      <Field
        label="Price"
        inputMode="decimal"
        value={draft.price}
        error={wrong.price}
        onChange={(event) => onDraft({ ...draft, price: event.target.value })}
      />
      <div className="grid grid-cols-2 items-start gap-3">
        <SelectField
          label="Stock"
          value={draft.stockChange}
          onChange={(event) =>
            onDraft({ ...draft, stockChange: event.target.value as StockChange, stock: '' })
          }
        >
          <option value="keep">Leave as it is</option>
          <option value="add">Add portions</option>
          <option value="set">Set available</option>
        </SelectField>
        {draft.stockChange !== 'keep' && (
          <Field
            label="Portions"
            inputMode="numeric"
            value={draft.stock}
            error={wrong.stock}
            onChange={(event) => onDraft({ ...draft, stock: event.target.value })}
          />
        )}
      </div>
    </>
  );
}

function StaleNote({ now, onTakeOver }: { now: Item; onTakeOver: () => void }) {
  return (
    <div role="alert" className="bg-warn-soft text-warn-ink space-y-2 rounded-xl p-3.5 text-sm">
      <p className="font-semibold">Somebody changed this item while you were editing.</p>
      <p>
        It is now “{now.name}” at {(now.priceCents / 100).toFixed(2)}, with {now.available}{' '}
        available (version {now.version}). Nothing of yours was saved.
      </p>
      <Button variant="outline" size="sm" className="text-foreground" onClick={onTakeOver}>
        Keep my values and go on
      </Button>
    </div>
  );
}
