/** Viridis: even to the eye, and distinguishable for colour-blind readers. */

const STOPS: [number, number, number][] = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
];

export const RAMP_SIZE = 256;

function at(share: number): [number, number, number] {
  const place = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  const a = STOPS[low] ?? [0, 0, 0];
  const b = STOPS[low + 1] ?? [0, 0, 0];
  const part = place - low;
  return [0, 1, 2].map((i) => Math.round((a[i] ?? 0) * (1 - part) + (b[i] ?? 0) * part)) as [
    number, number, number,
  ];
}

/** RGBA of the whole ramp, `RAMP_SIZE` pixels. */
export function ramp(): Uint8Array {
  const pixels = new Uint8Array(RAMP_SIZE * 4);
  for (let i = 0; i < RAMP_SIZE; i += 1) pixels.set([...at(i / (RAMP_SIZE - 1)), 255], i * 4);
  return pixels;
}

export function colourOf(share: number): string {
  return `rgb(${at(share).join(" ")})`;
}

export const GRADIENT = `linear-gradient(90deg, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;

export interface Range {
  low: number;
  high: number;
}

/** Round ends around the middle 98 % of the values; null if none is measured. */
export function rangeOf(values: readonly (number | null)[], before: Range | null): Range | null {
  const known = values.filter((one): one is number => one !== null);
  if (known.length === 0) return before;
  const sorted = Float64Array.from(known).sort();
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))] ?? 0;
  const high = sorted[Math.ceil(0.99 * (sorted.length - 1))] ?? 1;
  const found = { low: Math.min(low, before?.low ?? low), high: Math.max(high, before?.high ?? high) };
  const step = niceStep((found.high - found.low) / 4 || Math.abs(found.high) / 4 || 1);
  const bottom = Math.floor(found.low / step) * step;
  const top = Math.ceil(found.high / step) * step;
  return { low: bottom, high: top > bottom ? top : bottom + step };
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

export function shareOf(value: number, { low, high }: Range): number {
  return (value - low) / (high - low);
}
