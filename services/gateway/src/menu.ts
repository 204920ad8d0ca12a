// The menu: inventory's answer, kept for an instant so that a crowd that looks at the menu together
// asks once; from the stock view while inventory is away.

import { type Client, type Context, type Environment, RawJson } from '@rushlight/chassis';
import { type Input, publicApi } from '@rushlight/contracts';
import type { RawAnswerOut } from './answers.ts';
import { forwardTo } from './forward.ts';
import type { StockView } from './stock-view.ts';

const keptMs = 250;
const keptMax = 64;

type Kept = { atMs: number; answer: Promise<RawAnswerOut> };

export function createMenu(options: {
  env: Pick<Environment, 'monotonicMs'>;
  inventory: Client;
  view: Pick<StockView, 'menu'>;
}) {
  const { env, inventory, view } = options;
  const forward = forwardTo({ client: inventory, route: publicApi.menu, trustProxy: false });
  const kept = new Map<string, Kept>();

  const ask = async (
    input: Input<typeof publicApi.menu>,
    context: Context,
  ): Promise<RawAnswerOut> => {
    try {
      return await forward(input, context);
    } catch (error) {
      const menu = view.menu(input.query);
      if (!menu) throw error;
      return { status: 200, body: new RawJson(JSON.stringify(menu)) };
    }
  };
  return (input: Input<typeof publicApi.menu>, context: Context): Promise<RawAnswerOut> => {
    const { q, category } = input.query;
    const key = JSON.stringify([q, category]);
    const nowMs = env.monotonicMs();
    const known = kept.get(key);
    if (known && nowMs - known.atMs < keptMs) return known.answer;
    if (kept.size >= keptMax) kept.clear();
    const answer = ask(input, context);
    kept.set(key, { atMs: nowMs, answer });
    return answer;
  };
}
