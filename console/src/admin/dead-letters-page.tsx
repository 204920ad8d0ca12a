import { type DeadLetter, publicApi } from '@rushlight/contracts';
import { useMutation, useQuery } from '@tanstack/react-query';
import { MailCheck, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { deadLettersQuery } from '../api/queries.ts';
import { dayAndTime } from '../domain/time.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Empty, Failed, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';

export function DeadLettersPage() {
  useTitle('Dead letters');
  const { data: letters, error, refetch } = useQuery(deadLettersQuery);
  const [dropping, setDropping] = useState<DeadLetter | undefined>(undefined);
  const replay = useLetterAction('replayDeadLetter', 'is back in its queue');
  const drop = useLetterAction('dropDeadLetter', 'is dropped');
  return (
    <div className="mx-auto max-w-4xl space-y-4">
      <div>
        <h1 className="text-2xl font-semibold">Dead letters</h1>
        <p className="text-muted-foreground text-sm">
          Messages that a service could not take. They block nobody; replay them once the cause is
          mended.
        </p>
      </div>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!letters && !error && <SkeletonRows rows={3} className="h-28" />}
      {letters?.length === 0 && (
        <Empty icon={<MailCheck />} title="None at all">
          Every message was taken.
        </Empty>
      )}
      <ul aria-label="Dead letters" className="space-y-3">
        {letters?.map((letter) => (
          <LetterCard
            key={letter.id}
            letter={letter}
            onReplay={() => replay.mutate(letter)}
            onDrop={() => setDropping(letter)}
          />
        ))}
      </ul>
      <Confirm
        open={dropping !== undefined}
        onOpenChange={(open) => !open && setDropping(undefined)}
        title="Drop this message for good?"
        description={`What it told ${dropping?.queue ?? 'its queue'} will never be done.`}
        confirm="Drop it"
        onConfirm={() => dropping && drop.mutate(dropping)}
      />
    </div>
  );
}

function useLetterAction(action: 'replayDeadLetter' | 'dropDeadLetter', done: string) {
  return useMutation({
    mutationFn: ({ id }: DeadLetter) => call(publicApi[action], { params: { id } }),
    onSuccess: (_, { topic }) => toast.success(`The ${topic} message ${done}.`),
    onError: (error) => toast.error(errorText(error)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: deadLettersQuery.queryKey }),
  });
}

function LetterCard({
  letter,
  onReplay,
  onDrop,
}: {
  letter: DeadLetter;
  onReplay: () => void;
  onDrop: () => void;
}) {
  return (
    <li aria-label={`Dead letter ${letter.id}`}>
      <Card className="space-y-3 p-4">
        <div className="flex flex-wrap items-center gap-2">
          <span className="font-semibold">{letter.topic}</span>
          <Badge>to {letter.queue}</Badge>
          <Badge tone="bad">
            {letter.attempts} {letter.attempts === 1 ? 'try' : 'tries'}
          </Badge>
          <span className="text-muted-foreground ml-auto text-sm tabular-nums">
            {dayAndTime(letter.diedAt, Date.now())}
          </span>
        </div>
        <p className="text-bad-ink font-mono text-sm break-words">{letter.error}</p>
        <details className="text-sm">
          <summary className="text-muted-foreground cursor-pointer font-semibold">
            {letter.events.length} {letter.events.length === 1 ? 'event' : 'events'} inside
          </summary>
          <pre className="bg-muted mt-2 max-h-72 overflow-auto rounded-xl p-3 text-xs">
            {JSON.stringify(letter.events, undefined, 2)}
          </pre>
        </details>
        <div className="flex gap-2">
          <Button variant="outline" size="sm" onClick={onReplay}>
            <RotateCcw /> Replay
          </Button>
          <Button variant="danger-outline" size="sm" onClick={onDrop}>
            <Trash2 /> Drop
          </Button>
        </div>
      </Card>
    </li>
  );
}
