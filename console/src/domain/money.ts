const format = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** Cents as a price for people: 1250 → "$12.50". */
export function money(cents: number): string {
  return format.format(cents / 100);
}

/** With a sign, for entries of an account: 1250 → "+$12.50". */
export function signedMoney(cents: number): string {
  return cents > 0 ? `+${money(cents)}` : money(cents).replace('-', '−');
}

/** What a person typed as a price, in cents; null where it is none. "12.5" → 1250. */
export function parseMoney(text: string): number | null {
  const match = /^\$?\s*(\d{1,6})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (!match) return null;
  const [, whole, part = ''] = match;
  return Number(whole) * 100 + Number(part.padEnd(2, '0'));
}
