import { X } from 'lucide-react';
import { AlertDialog, Dialog } from 'radix-ui';
import { Button, type ButtonProps } from './button.tsx';
import { cn } from './cn.ts';

const overlayClass = 'fixed inset-0 z-40 bg-black/45 animate-fade backdrop-blur-[2px]';
const panelClass =
  'bg-card fixed z-50 border shadow-2xl focus:outline-none animate-rise max-h-[calc(100dvh-2rem)] overflow-y-auto';
const centredClass =
  'inset-x-4 top-[max(1rem,12dvh)] mx-auto w-auto max-w-md rounded-2xl p-5 sm:p-6';
const sheetClass =
  'inset-x-0 bottom-0 rounded-t-3xl p-5 pb-[max(1.25rem,env(safe-area-inset-bottom))]';

/** A dialog: centred, or as a sheet that rises from the bottom (for phones). */
export function Modal({
  open,
  onOpenChange,
  title,
  description,
  sheet,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  sheet?: boolean;
  children: React.ReactNode;
}) {
  const described = description ? {} : { 'aria-describedby': undefined };
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className={overlayClass} />
        <Dialog.Content
          className={cn(panelClass, sheet ? sheetClass : centredClass)}
          {...described}
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <div>
              <Dialog.Title className="text-xl font-semibold">{title}</Dialog.Title>
              {description && (
                <Dialog.Description className="text-muted-foreground mt-1 text-sm">
                  {description}
                </Dialog.Description>
              )}
            </div>
            <Dialog.Close asChild>
              <Button variant="ghost" size="icon-sm" aria-label="Close" className="-mt-1 -mr-1">
                <X />
              </Button>
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Asks before something that cannot be taken back. */
export function Confirm({
  open,
  onOpenChange,
  title,
  description,
  confirm,
  cancel = 'Keep it',
  variant = 'danger',
  onConfirm,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description: string;
  confirm: string;
  cancel?: string;
  variant?: ButtonProps['variant'];
  onConfirm: () => void;
}) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={overlayClass} />
        <AlertDialog.Content className={cn(panelClass, centredClass)}>
          <AlertDialog.Title className="text-xl font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-muted-foreground mt-2">
            {description}
          </AlertDialog.Description>
          <div className="mt-6 flex flex-col-reverse gap-2 sm:flex-row sm:justify-end">
            <AlertDialog.Cancel asChild>
              <Button variant="outline">{cancel}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button variant={variant} onClick={onConfirm}>
                {confirm}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
