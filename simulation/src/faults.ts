// Faults that come at an instant, and how all of them end.

import type { FaultPlan } from './settings.ts';
import { type SimServiceName, serviceNames } from './shop/process-names.ts';
import type { Shop } from './shop/shop.ts';

export function scheduleFaults(shop: Shop, plan: readonly FaultPlan[]): void {
  for (const fault of plan) shop.world.at(fault.atMs, () => strike(shop, fault));
}

function strike(shop: Shop, fault: FaultPlan): void {
  const { world, network } = shop;
  if (!network.faulty) return;
  switch (fault.kind) {
    case 'crash':
      crash(shop, fault.process as SimServiceName, fault.durationMs);
      return;
    case 'stop':
      stop(shop, fault.process as SimServiceName, fault.durationMs);
      return;
    case 'clock': {
      const { process: name, shiftMs } = fault;
      world.count('clock');
      world.story.say(name, () => `its clock is now off by ${shiftMs} ms`);
      shop.processes[name as SimServiceName].shiftMs = shiftMs;
      return;
    }
    case 'bus_down':
      world.count('bus_down');
      world.story.say('bus', () => `is down for ${fault.durationMs} ms`);
      shop.around.broker.setDown(true);
      world.at(fault.durationMs, () => shop.around.broker.setDown(false));
  }
}

function crash(shop: Shop, name: SimServiceName, downMs: number): void {
  const { world } = shop;
  const process = shop.processes[name];
  world.count('crash');
  world.story.say(name, () => `is killed, and comes back in ${downMs} ms`);
  shop.crash(name);
  const life = process.epoch;
  world.at(downMs, () => {
    if (process.epoch !== life || process.up) return;
    world.story.say(name, () => 'starts');
    shop.start(name);
  });
}

function stop(shop: Shop, name: SimServiceName, stopMs: number): void {
  const { world } = shop;
  const process = shop.processes[name];
  if (process.stopped) return;
  world.count('stop');
  world.story.say(name, () => `is stopped for ${stopMs} ms`);
  process.stop();
  const ledger = shop.ledgers[name];
  // The database gives up on who is silent for so long: what it had claimed is free.
  if (ledger && stopMs > claimsKeptMs) {
    world.at(claimsKeptMs, () => {
      if (!process.stopped) return;
      world.count('claims_lost');
      ledger.dropClaims();
    });
  }
  world.at(stopMs, () => {
    if (!process.stopped) return;
    world.story.say(name, () => 'goes on');
    process.goOn();
  });
}

const claimsKeptMs = 2_000;

/** Ends every fault; who is down comes back as it was going to, at the latest after its time. */
export function heal(shop: Shop): void {
  shop.network.faulty = false;
  shop.around.broker.setDown(false);
  for (const name of serviceNames) {
    const process = shop.processes[name];
    process.shiftMs = 0;
    if (process.stopped) process.goOn();
  }
}
