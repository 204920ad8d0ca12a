import { Button } from '../ui/button.tsx';
import { useTitle } from '../ui/hooks.ts';
import { Flame } from './brand.tsx';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <Plain title="There is nothing here" text="The address may be mistyped, or the page is gone." />
  );
}

/** A page of ours has failed; everything that was ordered is safe on the platform's side. */
export function CrashPage() {
  useTitle('Something went wrong');
  return (
    <Plain
      title="This page has failed"
      text="That is our mistake. Your orders are safe; load the page again."
    />
  );
}

function Plain({ title, text }: { title: string; text: string }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-6 py-24 text-center">
      <Flame className="h-12 w-9" />
      <h1 className="text-2xl font-semibold">{title}</h1>
      <p className="text-muted-foreground">{text}</p>
      <Button asChild className="mt-2">
        <a href="/">Go to the start page</a>
      </Button>
    </div>
  );
}
