/** Where everything stands in the Inter-City Application Map; no drawing, so that it can be tested. */
import type { InterCityMap, Level, MapParty } from "../api/types";

/** From the first hidden layer to the whole network; an application's own layers lie between. */
export const LEVELS: Level[] = ["h1", "h2", "h3", "h4", "h5", "head"];

export const CELL = { width: 78, height: 20, gap: 4 };
const COLUMN_GAP = 28;
const LABEL_WIDTH = 56;
const TOP = 58;

export interface Stack {
  party: MapParty;
  x: number;
  /** How many levels are shared, and how many may be. */
  shared: number;
  granted: number;
}

export interface Link {
  level: Level;
  from: number;
  to: number;
  y: number;
}

export interface Band {
  service: string;
  width: number;
  height: number;
  stacks: Stack[];
  cities: { name: string; x: number; width: number }[];
  links: Link[];
}

/** How many of `LEVELS` a level reaches: 0 for alone. */
export function depth(level: Level): number {
  return LEVELS.indexOf(level) + 1;
}

export function levelY(index: number): number {
  return TOP + (LEVELS.length - 1 - index) * (CELL.height + CELL.gap);
}

/** The drawing of one service: cities side by side, a stack of layers for each of their parties. */
export function bandOf(map: InterCityMap, service: string): Band {
  const stacks: Stack[] = [];
  const cities: Band["cities"] = [];
  let x = LABEL_WIDTH;
  for (const city of map.cities) {
    const own = map.parties.filter((one) => one.service === service && one.city === city.name);
    const start = x;
    for (const party of own) {
      stacks.push({ party, x, shared: depth(party.level), granted: depth(party.granted_to) });
      x += CELL.width + 10;
    }
    if (own.length === 0) x += CELL.width + 10;
    cities.push({ name: city.name, x: start, width: x - start - 10 });
    x += COLUMN_GAP;
  }
  const links: Link[] = [];
  LEVELS.forEach((level, index) => {
    const sharing = stacks.filter((one) => one.shared > index);
    for (let i = 1; i < sharing.length; i += 1) {
      const [a, b] = [sharing[i - 1], sharing[i]];
      if (!a || !b) continue;
      links.push({ level, from: a.x + CELL.width, to: b.x, y: levelY(index) + CELL.height / 2 });
    }
  });
  const bottom = levelY(0) + CELL.height;
  return { service, width: Math.max(x - COLUMN_GAP, 240), height: bottom + 62, stacks, cities, links };
}
