// Passwords: argon2id off the event loop. Hashing is what an attacker would make us do, so few run
// at once, few may wait, and everybody else is told to come back.

import { hash, verify } from '@node-rs/argon2';
import { ApiError, limits } from '@rushlight/contracts';

/** OWASP's first choice for argon2id (the library's default algorithm): 19 MiB, 2 passes, 1 lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const common = new Set([
  'password',
  'password1',
  'password123',
  '12345678',
  '123456789',
  '1234567890',
  'qwertyuiop',
  'qwerty123',
  'iloveyou',
  'letmein1',
  'welcome1',
  'sunshine',
  'football',
  'princess',
]);

/** Why this password is too weak for this id, or undefined when it will do. */
export function weakness(password: string, studentId: string): string | undefined {
  if (password.length < limits.passwordLengthMin) {
    return `it has ${password.length} characters, ${limits.passwordLengthMin} are needed`;
  }
  const plain = password.toLowerCase();
  if (plain.includes(studentId.toLowerCase())) return 'it contains the id';
  if (new Set(plain).size < 4) return 'it repeats the same few characters';
  if (common.has(plain)) return 'it is one of the most used passwords';
  return undefined;
}

export type Passwords = {
  hash(password: string): Promise<string>;
  /** Takes as long for an unknown user (no hash) as for a wrong password. */
  matches(passwordHash: string | undefined, password: string): Promise<boolean>;
};

/**
 * @param runningMax how many hashes are computed at once
 * @param waitingMax how many may wait; one more is refused with `busy`
 */
export async function createPasswords(runningMax: number, waitingMax: number): Promise<Passwords> {
  const nobody = await hash('nobody has this password', cost);
  const waiting: (() => void)[] = [];
  let running = 0;

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax) throw new ApiError('busy', { waitS: 2 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      // The turn passes on to the next in line; only when nobody waits does it end.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };

  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    matches: (passwordHash, password) =>
      inTurn(async () => {
        const equal = await verify(passwordHash ?? nobody, password);
        return equal && passwordHash !== undefined;
      }),
  };
}
