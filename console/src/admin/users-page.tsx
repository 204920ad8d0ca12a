import type { publicApi, Reply } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, UserPlus, UsersRound, Wallet } from 'lucide-react';
import { useState } from 'react';
import { usersQuery } from '../api/queries.ts';
import { dayAndTime } from '../domain/time.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Empty, Failed, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';
import { Table, Td, Th } from '../ui/table.tsx';
import { AddUserDialog } from './add-user-dialog.tsx';
import { TopUpDialog } from './top-up-dialog.tsx';

type User = Reply<typeof publicApi.listUsers>['body']['items'][number];

export function UsersPage() {
  useTitle('Users');
  const [before, setBefore] = useState<readonly string[]>([]);
  const { data, error, refetch } = useQuery(usersQuery(before.at(-1)));
  const [adding, setAdding] = useState(false);
  const [paying, setPaying] = useState<string | undefined>(undefined);
  const next = data?.nextCursor;
  return (
    <div className="space-y-4">
      <div className="flex items-center justify-between gap-4">
        <h1 className="text-2xl font-semibold">Users</h1>
        <Button onClick={() => setAdding(true)}>
          <UserPlus /> Add a user
        </Button>
      </div>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={8} className="h-13" />}
      {data?.items.length === 0 && <Empty icon={<UsersRound />} title="Nobody here" />}
      {data && data.items.length > 0 && <UserTable users={data.items} onPay={setPaying} />}
      {(before.length > 0 || next !== undefined) && (
        <div className="flex justify-between">
          <Button
            variant="outline"
            size="sm"
            disabled={before.length === 0}
            onClick={() => setBefore(before.slice(0, -1))}
          >
            <ChevronLeft /> Back
          </Button>
          <Button
            variant="outline"
            size="sm"
            disabled={next === undefined}
            onClick={() => next !== undefined && setBefore([...before, next])}
          >
            More <ChevronRight />
          </Button>
        </div>
      )}
      <AddUserDialog open={adding} onClose={() => setAdding(false)} />
      <TopUpDialog studentId={paying} onClose={() => setPaying(undefined)} />
    </div>
  );
}

const tones = { student: 'neutral', kitchen: 'busy', admin: 'good' } as const;

function UserTable({
  users,
  onPay,
}: {
  users: readonly User[];
  onPay: (studentId: string) => void;
}) {
  return (
    <Card className="overflow-hidden">
      <Table label="Users">
        <thead>
          <tr>
            <Th>ID</Th>
            <Th className="max-sm:hidden">Name</Th>
            <Th>Role</Th>
            <Th className="max-md:hidden">Since</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody className="[&_tr:last-child_td]:border-b-0">
          {users.map(({ studentId, name, role, createdAt }) => (
            <tr key={studentId} aria-label={studentId}>
              <Td className="h-14 font-semibold break-all">{studentId}</Td>
              <Td className="max-sm:hidden">{name}</Td>
              <Td>
                <Badge tone={tones[role]}>{role}</Badge>
              </Td>
              <Td className="text-muted-foreground tabular-nums max-md:hidden">
                {dayAndTime(createdAt, Date.now())}
              </Td>
              <Td className="text-right">
                {role === 'student' && (
                  <Button
                    variant="ghost"
                    size="sm"
                    aria-label={`Add money for ${studentId}`}
                    onClick={() => onPay(studentId)}
                  >
                    <Wallet /> <span className="max-sm:sr-only">Add money</span>
                  </Button>
                )}
              </Td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}
