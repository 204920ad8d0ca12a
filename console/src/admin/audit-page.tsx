import type { AuditReport, OrderStatus } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { ShieldAlert, ShieldCheck } from 'lucide-react';
import { auditQuery } from '../api/queries.ts';
import { money } from '../domain/money.ts';
import { statusTexts } from '../domain/order-status.ts';
import { Card, Section } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';
import { Failed, SkeletonRows } from '../ui/feedback.tsx';
import { useTitle } from '../ui/hooks.ts';
import { Table, Td, Th } from '../ui/table.tsx';

export function AuditPage() {
  useTitle('Audit');
  const { data: audit, error, refetch } = useQuery(auditQuery);
  return (
    <div className="space-y-7">
      <h1 className="sr-only">Audit</h1>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!audit && !error && <SkeletonRows rows={4} className="h-28" />}
      {audit && (
        <>
          <Verdict audit={audit} />
          {audit.violations.length > 0 && <Violations violations={audit.violations} />}
          <div className="grid items-start gap-7 lg:grid-cols-2">
            <Orders orders={audit.orders} />
            <Money money={audit.money} />
          </div>
          <Stock items={audit.items} />
        </>
      )}
    </div>
  );
}

function Verdict({ audit }: { audit: AuditReport }) {
  return (
    <div
      role="status"
      data-ok={audit.ok}
      className={cn('flex items-center gap-4 rounded-2xl p-5', {
        'bg-good-soft text-good-ink': audit.ok,
        'bg-bad text-white dark:text-background': !audit.ok,
      })}
    >
      {audit.ok ? (
        <ShieldCheck className="size-10 shrink-0" strokeWidth={1.6} aria-hidden />
      ) : (
        <ShieldAlert className="size-10 shrink-0" strokeWidth={1.6} aria-hidden />
      )}
      <div>
        <p className="font-display text-xl font-semibold">
          {audit.ok ? 'The books add up' : 'The books do not add up'}
        </p>
        <p className="text-sm">
          {audit.ok
            ? 'No order is lost, nothing is sold twice, nobody is charged twice.'
            : `${audit.violations.length} ${audit.violations.length === 1 ? 'check' : 'checks'} failed; see below.`}
        </p>
      </div>
    </div>
  );
}

function Violations({ violations }: { violations: AuditReport['violations'] }) {
  return (
    <Section title="Violations">
      <ul className="space-y-2">
        {violations.slice(0, 100).map(({ rule, subject, detail }) => (
          <li
            key={`${rule} ${subject}`}
            className="bg-bad-soft text-bad-ink rounded-xl p-3.5 text-sm"
          >
            <span className="font-semibold">{rule}</span>{' '}
            <span className="font-mono break-all">{subject}</span>
            <p>{detail}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Orders({ orders }: { orders: AuditReport['orders'] }) {
  const rows = Object.entries(orders.byStatus) as [OrderStatus, number][];
  return (
    <Section
      title="Orders"
      note={`${orders.inFlight.toLocaleString('en-US')} still wait for stock or payment`}
    >
      <Card>
        <Sums
          rows={rows.map(([status, count]) => [
            statusTexts[status].label,
            count.toLocaleString('en-US'),
          ])}
          empty="No orders yet."
        />
      </Card>
    </Section>
  );
}

function Money({ money: sums }: { money: AuditReport['money'] }) {
  return (
    <Section title="Money" note="By the card provider's ledger">
      <Card>
        <Sums
          rows={[
            ['Captured', money(sums.captured)],
            ['Refunded', money(sums.refunded)],
            ['Our double entry', sums.balanced ? 'Balanced' : 'Not balanced'],
          ]}
          empty=""
        />
      </Card>
    </Section>
  );
}

function Sums({ rows, empty }: { rows: readonly (readonly [string, string])[]; empty: string }) {
  if (rows.length === 0) return <p className="text-muted-foreground p-5 text-sm">{empty}</p>;
  return (
    <dl className="divide-y">
      {rows.map(([label, value]) => (
        <div key={label} className="flex justify-between gap-4 px-4 py-2.5">
          <dt className="text-muted-foreground">{label}</dt>
          <dd className="font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Stock({ items }: { items: AuditReport['items'] }) {
  const figures = ['initial', 'added', 'sold', 'reserved', 'onHand', 'available'] as const;
  const labels = ['Initial', 'Added', 'Sold', 'Reserved', 'On hand', 'Available'];
  return (
    <Section title="Stock" note="Initial + added − sold = on hand; on hand − reserved = available">
      <Card className="overflow-hidden">
        <Table label="Stock sums">
          <thead>
            <tr>
              <Th>Item</Th>
              {labels.map((label) => (
                <Th key={label} className="text-right">
                  {label}
                </Th>
              ))}
            </tr>
          </thead>
          <tbody className="[&_tr:last-child_td]:border-b-0">
            {items.map((item) => (
              <tr key={item.itemId}>
                <Td className="font-semibold whitespace-nowrap">{item.itemId}</Td>
                {figures.map((figure) => (
                  <Td key={figure} className="text-right tabular-nums">
                    {item[figure].toLocaleString('en-US')}
                  </Td>
                ))}
              </tr>
            ))}
          </tbody>
        </Table>
      </Card>
    </Section>
  );
}
