/**
 * The basemap, made from packages at build time: Natural Earth's countries at 1:110m for the first
 * view, each country at 1:10m in a file of its own for when it comes into view, and Korea's
 * districts. Nothing is asked of the outside.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { bbox, feature, quantize } from "topojson-client";
import type {
  GeometryCollection, GeometryObject, Polygon, Topology,
} from "topojson-specification";
import type { Plugin } from "vite";

type Named = { name?: string };
type Country = GeometryObject<Named>;
type Countries = Topology<{ countries: GeometryCollection<Named> }>;
type Box = [number, number, number, number];

const ANTARCTICA = "010"; // large, and without a city

const require = createRequire(import.meta.url);

function readTopology(name: string): Countries {
  return JSON.parse(readFileSync(require.resolve(name), "utf8")) as Countries;
}

function nameOf(country: Country): string {
  const raw = country.id ?? (country.properties as Named | undefined)?.name ?? "";
  return String(raw).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** Boxes of a country's parts west and east of Greenwich: none spans the whole world. */
function boxesOf(topology: Countries, country: Country): Box[] {
  const found = feature(topology, country as Polygon<Named>).geometry as GeoJSON.Geometry;
  const polygons =
    found.type === "Polygon" ? [found.coordinates]
    : found.type === "MultiPolygon" ? found.coordinates
    : [];
  const halves = new Map<boolean, Box>();
  for (const polygon of polygons) {
    const ring = polygon[0] ?? [];
    const west = (ring[0]?.[0] ?? 0) < 0;
    const box: Box = halves.get(west) ?? [180, 90, -180, -90];
    for (const [x = 0, y = 0] of ring) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
    halves.set(west, box);
  }
  return [...halves.values()].map((box) => box.map((x) => Math.round(x * 100) / 100) as Box);
}

/** One country with only the arcs that it uses. */
function alone(topology: Countries, country: Country): Topology<{ land: Country }> {
  const used = new Map<number, number>();
  const arcs: number[][][] = [];
  const coordinates = decoded(topology);
  const renumber = (index: number): number => {
    const own = index < 0 ? ~index : index;
    if (!used.has(own)) {
      used.set(own, arcs.length);
      arcs.push(coordinates[own] ?? []);
    }
    const now = used.get(own) ?? 0;
    return index < 0 ? ~now : now;
  };
  const walk = (one: unknown): unknown =>
    Array.isArray(one) ? one.map(walk) : renumber(one as number);
  const shape = country as unknown as { type: string; arcs: unknown };
  const land = { type: shape.type, arcs: walk(shape.arcs) } as unknown as Country;
  return quantize({ type: "Topology", objects: { land }, arcs } as Topology<{ land: Country }>, 2e4);
}

let decodedOf: Topology | undefined;
let decodedArcs: number[][][] = [];

function decoded(topology: Topology): number[][][] {
  if (decodedOf === topology) return decodedArcs;
  const { scale = [1, 1], translate = [0, 0] } = topology.transform ?? {};
  decodedArcs = topology.arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx = 0, dy = 0]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  decodedOf = topology;
  return decodedArcs;
}

export function basemap(): Plugin {
  const made = new Map<string, string>();
  const make = () => {
    if (made.size) return made;
    const world = readTopology("world-atlas/countries-110m.json");
    for (const country of world.objects.countries.geometries) {
      country.id = nameOf(country);
      delete country.properties;
    }
    const fine = readTopology("world-atlas/countries-10m.json");
    const boxes: Record<string, Box[]> = {};
    for (const country of fine.objects.countries.geometries) {
      const name = nameOf(country);
      if (!("arcs" in country) || name in boxes || name === ANTARCTICA) continue;
      boxes[name] = boxesOf(fine, country);
      made.set(`basemap/${name}.json`, JSON.stringify(alone(fine, country)));
    }
    made.set("basemap/world.json", JSON.stringify({ world, boxes }));
    const korea = readFileSync(new URL("./korea.json", import.meta.url), "utf8");
    bbox(JSON.parse(korea) as Topology); // a damaged file stops the build here
    made.set("basemap/korea.json", korea);
    return made;
  };
  return {
    name: "basemap",
    generateBundle() {
      for (const [fileName, source] of make()) this.emitFile({ type: "asset", fileName, source });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const source = make().get((request.url ?? "").replace(/^\/|\?.*$/g, ""));
        if (source === undefined) return next();
        response.setHeader("Content-Type", "application/json");
        response.end(source);
      });
    },
  };
}
