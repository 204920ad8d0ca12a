// What is scraped: the services of the shop, the monitor itself, and what users ask to be watched.
//
// G1. The shop's services say by themselves who they are (`service`, `instance`), and are believed.
//     What a user registers is what the user called it, whatever it says.
// G2. What users registered outlives the process: it is written down before it is answered.
// G3. A name is one target as long as it is watched, and never that of a part of the shop, in
//     whatever case.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@rushlight/chassis';
import { ApiError, kindOfPart, limits, partNames } from '@rushlight/contracts';
import { z } from 'zod';
import type { Targets } from './api/parts.ts';
import { AddressError, checkTargetUrl } from './scrape/addresses.ts';
import type { Scraper, ScrapeState } from './scrape/scraper.ts';

const Watched = z.array(z.object({ name: z.string().max(100), metricsUrl: z.string().max(500) }));
type Watched = z.output<typeof Watched>[number];

export type TargetsOptions = {
  scraper: Pick<Scraper, 'add' | 'remove' | 'targets'>;
  /** Where what users registered is kept. */
  folder: string;
  /** Base URLs of the shop's services. */
  serviceUrls: Readonly<Partial<Record<string, readonly string[]>>>;
  intervalS: number;
  allowPrivateAddresses: boolean;
  log: Log;
};

/** The shop's parts start together with us, or a little later. */
const startsWithinS = 15;

/** What watches the shop from outside is called so in its rules and dashboards. */
const reserved: ReadonlySet<string> = new Set([...partNames, 'prometheus']);
const isReserved = (name: string): boolean => reserved.has(kindOfPart(name.toLowerCase()));

export type OpenTargets = Targets & {
  /** Scrapes the monitor too, from when it knows its own port. */
  addSelf(url: string): void;
};

/** Begins to scrape the shop's services and whatever was registered before. */
export async function openTargets(options: TargetsOptions): Promise<OpenTargets> {
  const { scraper, serviceUrls, intervalS, log } = options;
  const file = join(options.folder, 'watched-services.json');
  const watched = await readWatched(file, log);
  /** @param name its own among all targets: the service's, or that of one of its replicas */
  const ofShop = (service: string, instance: string, name: string, baseUrl: string): void =>
    scraper.add({
      ...{ name, intervalS, url: new URL('/metrics', baseUrl).href, honorLabels: true },
      labels: { job: service, service, instance },
      startsWithinS,
    });
  const ofUser = ({ name, metricsUrl }: Watched): void =>
    scraper.add({
      ...{ name, intervalS, url: metricsUrl },
      labels: { service: name, instance: new URL(metricsUrl).host },
    });
  for (const [name, urls = []] of Object.entries(serviceUrls)) {
    for (const [index, url] of urls.entries()) {
      const instance = `${name}-${index + 1}`;
      ofShop(name, instance, urls.length > 1 ? instance : name, url);
    }
  }
  for (const one of watched) {
    try {
      ofUser(one);
    } catch (error) {
      log.warn({ name: one.name, error }, 'a service of yours is not watched any more');
    }
  }
  let writing: Promise<unknown> = Promise.resolve();

  const watchNow = async (one: Watched): Promise<void> => {
    const isKnown = watched.some(({ name }) => name === one.name);
    if (isKnown || isReserved(one.name)) throw new ApiError('taken', { id: one.name });
    if (watched.length >= limits.watchedServicesMax) {
      throw new ApiError('watching_enough', { count: watched.length });
    }
    checkAddress(one.metricsUrl, options.allowPrivateAddresses);
    await writeWatched(file, [...watched, one]);
    watched.push(one);
    ofUser(one);
  };
  const unwatchNow = async (name: string): Promise<void> => {
    const place = watched.findIndex((one) => one.name === name);
    if (place < 0)
      throw new ApiError(isReserved(name) ? 'part_of_shop' : 'unknown_service', { name });
    await writeWatched(file, watched.toSpliced(place, 1));
    watched.splice(place, 1);
    scraper.remove(name);
  };
  /** One after another, or two of them could write down each without the other. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = writing.then(work);
    writing = done.catch(() => undefined);
    return done;
  };
  return {
    list: () => scraper.targets().map((state) => stateOf(state, watched)),
    watch: (name, metricsUrl) => inTurn(() => watchNow({ name, metricsUrl })),
    unwatch: (name) => inTurn(() => unwatchNow(name)),
    addSelf: (url) => ofShop('monitor', 'monitor-1', 'monitor', url),
  };
}

function stateOf({ target, status, why }: ScrapeState, watched: readonly Watched[]) {
  return {
    name: target.name,
    up: status === 'up',
    own: watched.some(({ name }) => name === target.name),
    ...(status === 'waiting' ? { why: 'It was not asked yet.' } : {}),
    ...(why === undefined ? {} : { why }),
  };
}

function checkAddress(metricsUrl: string, allowPrivateAddresses: boolean): void {
  try {
    checkTargetUrl(metricsUrl, allowPrivateAddresses);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new ApiError('address_refused', { address: metricsUrl, why: error.message });
  }
}

/** Nothing when there is no file, or none that can be read: then that is said. */
async function readWatched(file: string, log: Log): Promise<Watched[]> {
  try {
    return Watched.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isMissing) log.warn({ file, error }, 'services of yours are forgotten: unreadable file');
    return [];
  }
}

/** All or nothing, whatever happens meanwhile. */
async function writeWatched(file: string, watched: readonly Watched[]): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, `${JSON.stringify(watched, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(fresh, file);
}
