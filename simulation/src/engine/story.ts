// What happened, as a person reads it. Nothing is written unless somebody will read it.

export class Story {
  readonly tells: boolean;
  readonly lines: string[] = [];
  readonly #elapsedMs: () => number;

  constructor(tells: boolean, elapsedMs: () => number) {
    this.tells = tells;
    this.#elapsedMs = elapsedMs;
  }

  say(who: string, what: () => string): void {
    if (!this.tells) return;
    const at = this.#elapsedMs().toFixed(1).padStart(9);
    this.lines.push(`${at} ms  ${who.padEnd(13)} ${what()}`);
  }
}
