// What is still under way, as one who sees all tables knows it.

import { queueNames } from '@rushlight/contracts';
import type { Plan } from './clients/order-plan.ts';
import { serviceNames } from './shop/process-names.ts';
import type { Shop } from './shop/shop.ts';

const unended = ['pending', 'queued', 'stock_verified'] as const;

export async function whatRemains(shop: Shop, plan: Plan): Promise<string[]> {
  const rest: string[] = [];
  for (const name of serviceNames) {
    if (!shop.processes[name].up) rest.push(`${name} is down`);
    const waiting = (await shop.ledgers[name]?.outbox.depth()) ?? 0;
    if (waiting > 0) rest.push(`${waiting} messages in the outbox of ${name}`);
  }
  const { bus } = shop;
  for (const name of queueNames) {
    const waiting = await bus.depth(name);
    if (waiting > 0) rest.push(`${waiting} messages in the queue of ${name}`);
  }
  for (const letter of await bus.deadLetters.list()) {
    // As an admin does once the cause is gone.
    await bus.deadLetters.replay(letter.id);
    rest.push(`a dead letter for ${letter.queue}: ${letter.topic}, ${letter.error}`);
  }
  const counts = await shop.orderStore.countByStatus();
  for (const status of unended) {
    if (counts[status]) rest.push(`${counts[status]} orders are ${status}`);
  }
  const students = plan.students.map(({ studentId }) => studentId);
  const paying = await shop.paymentStore.busy(students);
  if (paying.size > 0) rest.push(`payments of ${[...paying].join(', ')}`);
  const { waiting, cooking } = await shop.kitchenStore.agenda();
  if (waiting || cooking > 0) rest.push('meals in the kitchen');
  return rest;
}
