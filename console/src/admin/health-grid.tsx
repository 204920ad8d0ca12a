import type { ServiceState } from '@rushlight/contracts';
import {
  engines,
  kindOfPart,
  partNames,
  processes,
  type publicApi,
  type Reply,
} from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { CallError } from '../api/call-error.ts';
import { faultsQuery, servicesQuery } from '../api/queries.ts';
import { Section } from '../ui/card.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Failed, Skeleton } from '../ui/feedback.tsx';
import { useNowMs } from '../ui/hooks.ts';
import { ServiceCard } from './service-card.tsx';
import { useFault } from './use-fault.ts';

type ActiveFaults = Reply<typeof publicApi.listFaults>['body']['active'];

export function HealthGrid() {
  const { data: parts, error } = useQuery(servicesQuery);
  const faults = useQuery(faultsQuery);
  const labOn = !(faults.error instanceof CallError && faults.error.code === 'lab_off');
  const [killing, setKilling] = useState<string | undefined>(undefined);
  const fault = useFault();
  return (
    <Section
      title="Services"
      note={
        labOn
          ? 'Kill one: the launcher brings it back.'
          : 'The lab is off: nothing can be broken here.'
      }
    >
      {error && !parts && <Failed error={error} />}
      {!parts && !error && <GridSkeleton />}
      {parts && (
        <Grid
          parts={parts}
          faults={faults.data?.active ?? []}
          labOn={labOn}
          onKill={setKilling}
          onFreeze={(target) => fault.mutate({ fault: 'stop', target, durationS: 5 })}
        />
      )}
      <Confirm
        open={killing !== undefined}
        onOpenChange={(open) => !open && setKilling(undefined)}
        title={`Kill ${killing ?? ''}?`}
        description="The process gets SIGKILL and is gone at once, whatever it was doing. The launcher starts it again."
        confirm="Kill it"
        cancel="Let it live"
        onConfirm={() => killing && fault.mutate({ fault: 'kill', target: killing, durationS: 0 })}
      />
    </Section>
  );
}

function Grid({
  parts,
  faults,
  labOn,
  onKill,
  onFreeze,
}: {
  parts: readonly ServiceState[];
  faults: ActiveFaults;
  labOn: boolean;
  onKill: (name: string) => void;
  onFreeze: (name: string) => void;
}) {
  const nowMs = useNowMs(1_000);
  return (
    <ul aria-label="Services" className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
      {parts.map((part) => (
        <ServiceCard
          key={part.name}
          part={part}
          summary={summaryOf(part.name)}
          fault={
            faults.find(({ target }) => [part.name, kindOfPart(part.name)].includes(target))?.fault
          }
          labOn={labOn}
          nowMs={nowMs}
          onKill={() => onKill(part.name)}
          onFreeze={() => onFreeze(part.name)}
        />
      ))}
    </ul>
  );
}

function summaryOf(name: string): string {
  const kind = kindOfPart(name);
  const table: Readonly<Record<string, { summary: string }>> = { ...processes, ...engines };
  return table[kind]?.summary ?? '';
}

function GridSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
      {partNames.map((name) => (
        <Skeleton key={name} className="h-52 rounded-2xl" />
      ))}
    </div>
  );
}
