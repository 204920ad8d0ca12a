import { type Item, publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { itemsQuery } from '../api/queries.ts';
import { Confirm } from '../ui/dialog.tsx';

export function RemoveItem({ item, onClose }: { item: Item | undefined; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: ({ itemId }: Item) => call(publicApi.removeItem, { params: { itemId } }),
    onSuccess: (_, { name }) => toast.success(`${name} is off the menu.`),
    onError: (error) => toast.error(errorText(error)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: itemsQuery.queryKey }),
  });
  return (
    <Confirm
      open={item !== undefined}
      onOpenChange={(open) => !open && onClose()}
      title={`Take ${item?.name ?? 'it'} off the menu?`}
      description="Nobody can order it any more. Orders that hold it are served."
      confirm="Take it off"
      cancel="Leave it"
      onConfirm={() => item && remove.mutate(item)}
    />
  );
}
