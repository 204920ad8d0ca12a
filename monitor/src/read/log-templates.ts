// Lines of logs, grouped by what is constant in them.
//
// First, what is clearly a value is masked: times, ids, addresses, paths, quoted text, numbers. Then
// the words are matched as Drain does (He et al., ICWS 2017), with a tree of two levels, the number
// of words and the first word: a line joins the group with the largest share of equal words if that
// share is large enough, and the words in which they differ become `<*>`.
//
// L1. Every line belongs to exactly one group, so counts add up to the number of lines.
// L2. There are never more than `templatesMax` groups. When there are, lines that fit nowhere are
//     counted in one group per level, whose template is `<*>`.
// L3. A group keeps the id of its first line's words for good, whatever becomes of its template.

import type { LogLevel, LogRecord } from '../model.ts';

export type TemplateGroup = {
  id: string;
  level: LogLevel;
  template: string;
  count: number;
  firstAtUs: number;
  lastAtUs: number;
  services: string[];
  /** The newest line, as it came. */
  example: LogRecord;
  /** The newest trace with such a line. */
  traceId?: string;
};

export type TemplateLimits = {
  templatesMax: number;
  /** Of a line; what is beyond is not looked at. */
  wordsMax: number;
  /** From 0 to 1: how alike two lines must be to be one. */
  similarityMin: number;
};

const defaults: TemplateLimits = { templatesMax: 1_000, wordsMax: 40, similarityMin: 0.6 };
const charactersMax = 2_000;
const wild = '<*>';

/** In this order: what is longer and surer goes first. */
const masks: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>)\]]+/gi, '<url>'],
  [/"[^"]*"|'[^']*'(?![a-z])|`[^`]*`/g, '<text>'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '<address>'],
  [/(?<![\w<])(?:~|\.{1,2})?(?:\/[\w.@%+-]+)+\/?/g, '<path>'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '<id>'],
  [/\b0x[0-9a-f]+\b/gi, '<number>'],
  [/(?<![\w<])[-+]?\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?/gi, '<number>'],
  [/\b(?=\w*\d)\w*\d{2,}\w*\b/g, '<id>'],
];

/** The text with its clear values replaced by what they are. */
export function maskValues(text: string): string {
  let masked = text.slice(0, charactersMax);
  for (const [pattern, name] of masks) masked = masked.replace(pattern, name);
  return masked;
}

type Group = Omit<TemplateGroup, 'template' | 'services'> & {
  words: string[];
  services: Set<string>;
};

const servicesMax = 20;

/** Groups lines as they come. */
export class LogTemplates {
  readonly #limits: TemplateLimits;
  readonly #leaves = new Map<string, Group[]>();
  readonly #rest = new Map<LogLevel, Group>();
  /** Words that were seen literally, and where they went: most lines repeat. */
  readonly #known = new Map<string, Group>();
  #count = 0;

  constructor(limits: Partial<TemplateLimits> = {}) {
    this.#limits = { ...defaults, ...limits };
  }

  /** The id of the group that it joined. */
  add(record: LogRecord): string {
    const group = this.#groupOf(record);
    group.count += 1;
    group.firstAtUs = Math.min(group.firstAtUs, record.atUs);
    if (group.services.size < servicesMax) group.services.add(record.service);
    if (record.atUs >= group.lastAtUs) {
      group.lastAtUs = record.atUs;
      group.example = record;
      if (record.traceId !== undefined) group.traceId = record.traceId;
    } else if (record.traceId !== undefined) group.traceId ??= record.traceId;
    return group.id;
  }

  /** Most frequent first. */
  groups(): TemplateGroup[] {
    return [...new Set([...[...this.#leaves.values()].flat(), ...this.#rest.values()])]
      .map(({ words, services, ...group }) => ({
        ...group,
        template: words.join(' '),
        services: [...services].sort(),
      }))
      .sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1));
  }

  #groupOf(record: LogRecord): Group {
    const { templatesMax, wordsMax } = this.#limits;
    const text = maskValues(record.message);
    const key = `${record.level} ${text}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const words = text
      .split(/\s+/)
      .filter((word) => word !== '')
      .slice(0, wordsMax);
    const leafKey = `${record.level} ${words.length} ${words[0] ?? ''}`;
    const leaf = this.#leaves.get(leafKey) ?? [];
    const found = this.#mostAlike(leaf, words);
    if (found === undefined && this.#count >= templatesMax - levelsKept) {
      return this.#restOf(record);
    }
    const group = found ?? newGroup(record, words);
    if (found === undefined) {
      this.#count += 1;
      this.#leaves.set(leafKey, [...leaf, group]);
    } else group.words = merged(group.words, words);
    if (this.#known.size < 10 * templatesMax) this.#known.set(key, group);
    return group;
  }

  #mostAlike(groups: readonly Group[], words: readonly string[]): Group | undefined {
    let best: Group | undefined;
    let bestShare = this.#limits.similarityMin;
    for (const group of groups) {
      const equal = group.words.filter((word, at) => word === words[at] && word !== wild).length;
      const share = words.length === 0 ? 1 : equal / words.length;
      if (share < bestShare || (best !== undefined && share === bestShare)) continue;
      best = group;
      bestShare = share;
    }
    return best;
  }

  #restOf(record: LogRecord): Group {
    const rest = this.#rest.get(record.level) ?? newGroup(record, [wild]);
    this.#rest.set(record.level, rest);
    return rest;
  }
}

/** Room for the groups of L2: one for each level. */
const levelsKept = 6;

function newGroup(record: LogRecord, words: string[]): Group {
  const { level, atUs } = record;
  return {
    id: hashOf(`${level} ${words.join(' ')}`),
    level,
    words,
    count: 0,
    firstAtUs: atUs,
    lastAtUs: atUs,
    services: new Set(),
    example: record,
  };
}

function merged(words: readonly string[], others: readonly string[]): string[] {
  return words.map((word, at) => (word === others[at] ? word : wild));
}

/** FNV-1a, twice: 64 bits as hex. The same words have the same id in every process. */
function hashOf(text: string): string {
  let [low, high] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193) >>> 0;
    high = Math.imul(high ^ (text.charCodeAt(i) + i), 0x01000193) >>> 0;
  }
  return low.toString(16).padStart(8, '0') + high.toString(16).padStart(8, '0');
}
