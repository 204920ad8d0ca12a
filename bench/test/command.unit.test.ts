import { expect, test, vi } from 'vitest';
import { runCommand } from '../src/command.ts';

test.each([
  [['meals'], 'There is no benchmark "meals"; there are orders, cost, monitor, telemetry, scale.'],
  [['cost', '--orders', '0'], 'from 1 to 1000000'],
  [['cost', '--cpu-prof', 'oven'], '"oven" is no service'],
  [['--speed', '3'], "unknown option '--speed'"],
])('called with %j it says what is wrong and ends with 2', async (words, complaint) => {
  const told: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  try {
    expect(await runCommand(words)).toBe(2);
  } finally {
    write.mockRestore();
  }
  expect(told.join('')).toContain(complaint);
});
