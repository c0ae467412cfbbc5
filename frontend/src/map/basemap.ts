/** Land and borders from the node itself: coarse at first, each country finer once it is in view. */
import type { GeoJSONSource, Map as LibreMap, StyleSpecification } from "maplibre-gl";
import { feature, merge, mesh } from "topojson-client";
import type { GeometryCollection, MultiPolygon, Polygon, Topology } from "topojson-specification";

type Box = [number, number, number, number];

interface World {
  world: Topology<{ countries: GeometryCollection }>;
  boxes: Record<string, Box[]>;
}

const KOREA = "410";
const FINE_FROM_ZOOM = 4.5;
const IDLE_MS = 250;

export interface MapColours {
  water: string;
  land: string;
  border: string;
}

export function emptyStyle({ water, land, border }: MapColours): StyleSpecification {
  const nothing = { type: "FeatureCollection" as const, features: [] };
  return {
    version: 8,
    sources: {
      land: { type: "geojson", data: nothing, tolerance: 0.2 },
      districts: { type: "geojson", data: nothing, tolerance: 0.2 },
    },
    layers: [
      { id: "water", type: "background", paint: { "background-color": water } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": land } },
      {
        id: "coast", type: "line", source: "land",
        paint: { "line-color": border, "line-width": 1 },
      },
      {
        id: "districts", type: "line", source: "districts", minzoom: 6,
        paint: { "line-color": border, "line-width": 0.8, "line-opacity": 0.8 },
      },
    ],
  };
}

export function recolour(map: LibreMap, { water, land, border }: MapColours): void {
  map.setPaintProperty("water", "background-color", water);
  map.setPaintProperty("land", "fill-color", land);
  map.setPaintProperty("coast", "line-color", border);
  map.setPaintProperty("districts", "line-color", border);
}

const here = (name: string) => new URL(`basemap/${name}.json`, document.baseURI).href;

async function load<T>(name: string): Promise<T> {
  const answer = await fetch(here(name));
  if (!answer.ok) throw new Error(`${name}: HTTP ${answer.status}`);
  return (await answer.json()) as T;
}

/** Fills the sources of `emptyStyle` and keeps them as fine as the view asks for. */
export async function drawBasemap(map: LibreMap): Promise<void> {
  const { world, boxes } = await load<World>("world");
  const countries = new Map<string, GeoJSON.Feature>();
  for (const one of feature(world, world.objects.countries).features) {
    countries.set(String(one.id), one);
  }
  const show = () => {
    const land = map.getSource<GeoJSONSource>("land");
    land?.setData({ type: "FeatureCollection", features: [...countries.values()] });
  };
  show();
  const asked = new Set<string>();
  const refine = async () => {
    const names = inView(map, boxes).filter((name) => !asked.has(name));
    if (names.length === 0) return;
    for (const name of names) asked.add(name);
    await Promise.all(names.map((name) => refineCountry(map, name, countries)));
    show();
  };
  const later = () => setTimeout(() => void refine().catch(() => undefined), IDLE_MS);
  map.on("moveend", later);
  later();
}

function inView(map: LibreMap, boxes: Record<string, Box[]>): string[] {
  if (map.getZoom() < FINE_FROM_ZOOM) return [];
  const bounds = map.getBounds();
  const seen = ([w, s, e, n]: Box) =>
    w <= bounds.getEast() && e >= bounds.getWest() && s <= bounds.getNorth() && n >= bounds.getSouth();
  return Object.keys(boxes).filter((name) => boxes[name]?.some(seen));
}

async function refineCountry(
  map: LibreMap,
  name: string,
  countries: Map<string, GeoJSON.Feature>,
): Promise<void> {
  if (name === KOREA) {
    const korea = await load<Topology<{ districts: GeometryCollection }>>("korea");
    const shapes = korea.objects.districts.geometries as (Polygon | MultiPolygon)[];
    const land = merge(korea, shapes as Parameters<typeof merge>[1]);
    countries.set(name, { type: "Feature", properties: {}, geometry: land });
    const borders = mesh(korea, korea.objects.districts, (a, b) => a !== b);
    map.getSource<GeoJSONSource>("districts")?.setData(borders);
    return;
  }
  const fine = await load<Topology<{ land: Polygon | MultiPolygon }>>(name);
  countries.set(name, feature(fine, fine.objects.land as Polygon));
}
