/** Where everything stands in the Inter-City Application Map; no drawing, so that it can be tested. */
import type { CutAgency, InterCityMap, Level, MapParty, VerticalPart } from "../api/types";

/** From the first hidden layer to the whole network; an application's own layers lie between. */
export const LEVELS: Level[] = ["h1", "h2", "h3", "h4", "h5", "head"];

export const CELL = { width: 78, height: 20, gap: 4 };
const COLUMN_GAP = 28;
const LABEL_WIDTH = 56;
const TOP = 86;
const BELOW = 78;

/** Used by its own forecaster; sent, but not used; may be sent, and was not; never leaves. */
export type CellState = "shared" | "given" | "granted" | "own";

export interface Stack {
  party: MapParty;
  x: number;
  /** From h1 to the head. */
  cells: CellState[];
}

export interface Link {
  /** Somebody uses the layer; else it was exchanged in training, and nobody chose it. */
  used: boolean;
  /** Corners, as SVG writes them. */
  points: string;
}

export interface City {
  name: string;
  x: number;
  width: number;
}

export interface Band {
  service: string;
  width: number;
  height: number;
  stacks: Stack[];
  cities: City[];
  links: Link[];
}

/** How many of `LEVELS` a level reaches: 0 for alone. */
export function depth(level: Level): number {
  return LEVELS.indexOf(level) + 1;
}

/** The top of a layer's row; -1 is the stem, below h1. */
export function levelY(index: number): number {
  return TOP + (LEVELS.length - 1 - index) * (CELL.height + CELL.gap);
}

export const STEM = -1;
export const BOTTOM = levelY(STEM) + CELL.height;

function cellOf(party: MapParty, index: number): CellState {
  if (index < depth(party.level)) return "shared";
  const level = LEVELS[index];
  if (level && party.layers.includes(level)) return "given";
  return index < depth(party.granted_to) ? "granted" : "own";
}

const takesPart = (stack: Stack, index: number) => stack.cells[index] === "shared" || gives(stack.party, index);

function gives(party: MapParty, index: number): boolean {
  const level = LEVELS[index];
  return level !== undefined && party.layers.includes(level);
}

/** The drawing of one service: cities side by side, a stack of layers for each of their parties. */
export function bandOf(map: InterCityMap, service: string): Band {
  const stacks: Stack[] = [];
  const cities: City[] = [];
  let x = LABEL_WIDTH;
  for (const city of map.cities) {
    const own = map.parties.filter((one) => one.service === service && one.city === city.name);
    if (own.length === 0) continue;
    const start = x;
    for (const party of own) {
      stacks.push({ party, x, cells: LEVELS.map((_, index) => cellOf(party, index)) });
      x += CELL.width + 10;
    }
    cities.push({ name: city.name, x: start, width: x - start - 10 });
    x += COLUMN_GAP;
  }
  const links = LEVELS.flatMap((_, index) => linksOf(stacks, index));
  return { service, width: Math.max(x - COLUMN_GAP, 240), height: BOTTOM + BELOW, stacks, cities, links };
}

/** Who sent a layer is joined with who uses it, whatever level the others between them took. */
function linksOf(stacks: Stack[], index: number): Link[] {
  const part = stacks.filter((one) => takesPart(one, index));
  if (!part.some((one) => gives(one.party, index))) return [];
  const used = part.some((one) => one.cells[index] === "shared");
  const y = levelY(index) + CELL.height / 2;
  return part.slice(1).map((to, i) => ({ used, points: `${(part[i]?.x ?? to.x) + CELL.width},${y} ${to.x},${y}` }));
}

/** With whom a party's forecaster shares layers, and down to which: the deepest first. */
export function partners(map: InterCityMap, party: MapParty): { party: MapParty; level: Level }[] {
  return map.parties
    .filter((one) => one.service === party.service && one.party !== party.party)
    .map((one) => ({ party: one, at: LEVELS.findLastIndex((_, i) => i < depth(party.level) && gives(one, i)) }))
    .filter((one) => one.at >= 0)
    .sort((a, b) => b.at - a.at)
    .map((one) => ({ party: one.party, level: LEVELS[one.at] ?? "" }));
}

/** The deepest layer that left a party in training. */
export function sentTo(party: MapParty): Level {
  return LEVELS[LEVELS.findLastIndex((_, i) => gives(party, i))] ?? "";
}

export interface CutStack {
  /** Null: the application, which fuses what comes. */
  agency: CutAgency | null;
  x: number;
  /** From the stem (at -1) to here its layers run on its own side. */
  from: number;
  to: number;
  /** The layer whose activations leave; null of an application. */
  cut: number | null;
}

export interface Meeting {
  width: number;
  height: number;
  stacks: CutStack[];
  links: Link[];
}

/** Agencies of one city beside the application that they give a hidden layer. */
export function meetingOf(part: VerticalPart): Meeting {
  const meets = LEVELS.indexOf(part.level);
  const step = CELL.width + 34;
  const stacks: CutStack[] = [
    { agency: null, x: LABEL_WIDTH, from: part.labels_stay ? meets + 1 : STEM, to: LEVELS.length - 1, cut: null },
    ...part.agencies.map((agency, i): CutStack => {
      const cut = LEVELS.indexOf(agency.layer);
      return { agency, x: LABEL_WIDTH + (i + 1) * step, from: STEM, to: cut, cut };
    }),
  ];
  // Up out of the cut, then along the first layer of the application: no other's cells are crossed.
  const into = levelY(Math.min(meets + 1, LEVELS.length - 1)) + CELL.height / 2;
  const links = stacks.flatMap(({ agency, x, cut }): Link[] => {
    if (agency === null || cut === null) return [];
    const out = x + CELL.width / 2;
    return [{ used: !agency.failed, points: `${out},${levelY(cut)} ${out},${into} ${LABEL_WIDTH + CELL.width},${into}` }];
  });
  const width = LABEL_WIDTH + (part.agencies.length + 1) * step - 20;
  return { width: Math.max(width, 240), height: BOTTOM + BELOW, stacks, links };
}
