import { DropdownMenu } from 'radix-ui';
import { cn } from './cn.ts';

export const Menu = DropdownMenu.Root;
export const MenuTrigger = DropdownMenu.Trigger;

export function MenuContent({ className, ...rest }: DropdownMenu.DropdownMenuContentProps) {
  return (
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        align="end"
        sideOffset={6}
        className={cn(
          'bg-card z-50 min-w-52 rounded-xl border p-1.5 shadow-xl animate-fade',
          className,
        )}
        {...rest}
      />
    </DropdownMenu.Portal>
  );
}

const itemClass =
  'flex w-full items-center gap-2.5 rounded-lg px-3 py-2.5 text-sm outline-none select-none cursor-pointer data-[highlighted]:bg-muted data-[disabled]:opacity-50 [&_svg]:size-4 [&_svg]:text-muted-foreground';

export function MenuItem({ className, ...rest }: DropdownMenu.DropdownMenuItemProps) {
  return <DropdownMenu.Item className={cn(itemClass, className)} {...rest} />;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="bg-border my-1.5 h-px" />;
}

export function MenuLabel(props: DropdownMenu.DropdownMenuLabelProps) {
  return <DropdownMenu.Label className="text-muted-foreground px-3 py-1.5 text-xs" {...props} />;
}
