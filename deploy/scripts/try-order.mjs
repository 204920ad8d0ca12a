// Proves that a shop sells: a new student is given money, orders the cheapest dish, and has it paid;
// then the books are asked. It leaves that student and that order behind.
//
//   RUSHLIGHT_ADMIN_PASSWORD=… node deploy/scripts/try-order.mjs [URL]
//
// Plain JavaScript without dependencies, for any Node from 18 on.

import { randomBytes } from 'node:crypto';

const url = process.argv[2] ?? 'http://127.0.0.1:3000';
const adminPassword = process.env.RUSHLIGHT_ADMIN_PASSWORD ?? '';
const paidMsMax = 60_000;
const answerMsMax = 10_000;
const triesMax = 10;
const pauseMs = 500;

const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs));

/** Asks again while the shop says "not now": the same key makes it the same request. */
async function ask(method, path, { token, body, key } = {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : JSON.parse(text);
    if (response.status !== 503 || tries === triesMax) {
      throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    }
    await pause();
  }
}

const login = async (studentId, password) =>
  (await ask('POST', '/api/v1/login', { body: { studentId, password } })).token;

async function untilPaid(orderId, token) {
  const endMs = Date.now() + paidMsMax;
  for (;;) {
    const { status, history } = await ask('GET', `/api/v1/orders/${orderId}`, { token });
    if (history.some((step) => step.status === 'paid')) return;
    if (Date.now() > endMs) throw new Error(`the order ${orderId} is still ${status}`);
    await pause();
  }
}

async function main() {
  const admin = await login('admin', adminPassword);
  const studentId = `try-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  await ask('POST', '/api/v1/register', { body: { studentId, password, name: 'Try' } });
  const token = await login(studentId, password);
  const menu = await ask('GET', '/api/v1/menu');
  const [dish] = menu
    .filter(({ available }) => available > 0)
    .sort((a, b) => a.priceCents - b.priceCents);
  if (dish === undefined) throw new Error('nothing is left on the menu');
  await ask('POST', '/api/v1/wallet/top-up', {
    token: admin,
    key: `${studentId}-money`,
    body: { studentId, amountCents: dish.priceCents },
  });
  const lines = [{ itemId: dish.itemId, quantity: 1 }];
  const key = `${studentId}-order`;
  const { orderId } = await ask('POST', '/api/v1/orders', { token, key, body: { lines } });
  await untilPaid(orderId, token);
  const { ok, violations } = await ask('GET', '/api/v1/admin/audit', { token: admin });
  if (!ok) throw new Error(`the books do not agree: ${JSON.stringify(violations)}`);
  process.stdout.write(`order ${orderId} of ${dish.name} is paid, and the books agree\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
