/** A map of some places of a service: ways as lines, chosen places as numbered marks. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { GeoJSONSource, Map as LibreMap, MapMouseEvent, Marker } from "maplibre-gl";
import type { Place } from "../api/types";
import { t } from "../words";

export interface Way {
  kind: "detour" | "usual";
  /** Ids of the places passed. */
  places: string[];
}

export interface Spot {
  place: string;
  kind: "act" | "cause" | "goal";
  /** In the mark: a rank or a count. */
  label: string;
}

export interface Position {
  lat: number;
  lon: number;
}

interface Props {
  label: string;
  places: Place[];
  /** Of places that are cells: those of the spots are drawn. */
  outlines?: (number[] | null)[] | null | undefined;
  ways?: Way[];
  spots: Spot[];
  /** Where somebody wants to go. */
  goal?: Position | null;
  /** Called with where the map was clicked, in degrees. */
  pick?: (goal: Position) => void;
}

const MOST_DOTS = 5_000; // of the other places: more of them hide the ways
const MOST_MARKS = 60;

type At = [number, number];

function positions(places: Place[]): Map<string, At> {
  const found = new Map<string, At>();
  for (const { id, lat, lon } of places) if (lat !== null && lon !== null) found.set(id, [lon, lat]);
  return found;
}

function lines(ways: Way[], at: Map<string, At>): GeoJSON.FeatureCollection {
  const features = ways.map(({ kind, places }): GeoJSON.Feature<GeoJSON.LineString> => {
    const coordinates = places.flatMap((id) => (at.has(id) ? [at.get(id) as At] : []));
    return { type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates } };
  });
  return { type: "FeatureCollection", features: features.filter((one) => one.geometry.coordinates.length > 1) };
}

function cells(places: Place[], outlines: (number[] | null)[], spots: Spot[]): GeoJSON.FeatureCollection {
  const wanted = new Set(spots.map((one) => one.place));
  const features = places.flatMap(({ id }, i): GeoJSON.Feature[] => {
    const outline = outlines[i];
    if (!outline || !wanted.has(id)) return [];
    const ring: At[] = [];
    for (let k = 0; k < outline.length; k += 2) ring.push([outline[k] ?? 0, outline[k + 1] ?? 0]);
    if (ring[0]) ring.push(ring[0]);
    return [{ type: "Feature", properties: { id }, geometry: { type: "Polygon", coordinates: [ring] } }];
  });
  return { type: "FeatureCollection", features };
}

function dots(at: Map<string, At>): GeoJSON.Feature {
  const all = [...at.values()];
  const every = Math.ceil(all.length / MOST_DOTS);
  const coordinates = all.filter((_, i) => i % every === 0);
  return { type: "Feature", properties: {}, geometry: { type: "MultiPoint", coordinates } };
}

function addLayers(map: LibreMap): void {
  const css = getComputedStyle(document.documentElement);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const nothing = { type: "FeatureCollection" as const, features: [] };
  map.addSource("dots", { type: "geojson", data: nothing });
  map.addSource("cells", { type: "geojson", data: nothing });
  map.addLayer({ id: "cells", type: "fill", source: "cells", paint: { "fill-color": colour("--accent"), "fill-opacity": 0.3, "fill-outline-color": colour("--accent") } });
  map.addSource("ways", { type: "geojson", data: nothing });
  map.addLayer({ id: "dots", type: "circle", source: "dots", paint: { "circle-radius": 2.5, "circle-color": colour("--muted"), "circle-opacity": 0.7 } });
  const round = { "line-cap": "round", "line-join": "round" } as const;
  map.addLayer({ id: "usual", type: "line", source: "ways", filter: ["==", "kind", "usual"], paint: { "line-color": colour("--critical"), "line-width": 4, "line-dasharray": [2, 1.6] } });
  map.addLayer({ id: "detour", type: "line", source: "ways", filter: ["==", "kind", "detour"], layout: round, paint: { "line-color": colour("--accent"), "line-width": 5 } });
}

function fit(map: LibreMap, shown: At[]): void {
  if (shown.length === 0) return;
  let [w, s, e, n] = [180, 90, -180, -90];
  for (const [lon, lat] of shown) [w, s, e, n] = [Math.min(w, lon), Math.min(s, lat), Math.max(e, lon), Math.max(n, lat)];
  map.fitBounds([[w, s], [e, n]], { padding: 48, maxZoom: 13, animate: false });
}

export function PlaceMap({ label, places, outlines, ways = [], spots, goal = null, pick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<LibreMap | null>(null);
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  const [drawn, setDrawn] = useState(0);
  const [areas, setAreas] = useState(0);
  const at = useMemo(() => positions(places), [places]);

  useEffect(() => {
    let gone = false;
    import("../map/libre")
      .then(({ openMap }) => {
        if (gone || !box.current) return;
        const opened = openMap(box.current, () => undefined);
        map.current = opened;
        opened.once("style.load", () => {
          addLayers(opened);
          setReady(true);
        });
      })
      .catch(() => setFailed(true));
    return () => {
      gone = true;
      map.current?.remove();
      map.current = null;
    };
  }, [at.size === 0]);

  const shown = JSON.stringify([ways, spots]);
  useEffect(() => {
    const opened = map.current;
    if (!ready || !opened) return;
    opened.getSource<GeoJSONSource>("dots")?.setData(dots(at));
    const found = cells(places, outlines ?? [], spots);
    opened.getSource<GeoJSONSource>("cells")?.setData(found);
    setAreas(found.features.length);
    const drawable = lines(ways, at);
    opened.getSource<GeoJSONSource>("ways")?.setData(drawable);
    setDrawn(drawable.features.length);
    const named = [...ways.flatMap((one) => one.places), ...spots.map((one) => one.place)];
    const seen = named.flatMap((id) => (at.has(id) ? [at.get(id) as At] : []));
    fit(opened, seen.length > 0 ? seen : [...at.values()]);
    const marks: Marker[] = [];
    let gone = false; // what is shown has changed before the library was there
    void import("../map/libre").then(({ Marker: Mark }) => {
      if (gone || map.current !== opened) return;
      for (const spot of spots.slice(0, MOST_MARKS)) {
        const where = at.get(spot.place);
        if (where) marks.push(new Mark({ element: markOf(spot) }).setLngLat(where).addTo(opened));
      }
    });
    return () => {
      gone = true;
      marks.forEach((one) => one.remove());
    };
  }, [ready, places, shown]);

  useEffect(() => {
    const opened = map.current;
    if (!ready || !opened || !pick) return;
    const clicked = (event: MapMouseEvent) => {
      const { lat, lng } = event.lngLat.wrap();
      pick({ lat, lon: lng });
    };
    opened.on("click", clicked);
    opened.getCanvas().style.cursor = "crosshair";
    return () => void opened.off("click", clicked);
  }, [ready, pick]);

  useEffect(() => {
    const opened = map.current;
    if (!ready || !opened || !goal) return;
    let mark: Marker | null = null;
    let gone = false;
    void import("../map/libre").then(({ Marker: Mark }) => {
      if (gone || map.current !== opened) return;
      mark = new Mark({ element: markOf({ place: "", kind: "goal", label: "×" }) }).setLngLat([goal.lon, goal.lat]).addTo(opened);
    });
    return () => {
      gone = true;
      mark?.remove();
    };
  }, [ready, goal?.lat, goal?.lon]);

  if (failed) return <p class="quiet">{t("map.no_webgl")}</p>;
  if (at.size === 0) return <p class="quiet">{t("map.no_positions")}</p>;
  return <div class="room-map place-map" ref={box} data-ready={ready} data-ways={drawn} data-cells={areas} role="group" aria-label={label} />;
}

/** The table beside the map says the same: marks are not read aloud. */
function markOf({ place, kind, label }: Spot): HTMLElement {
  const made = document.createElement("span");
  made.className = `spot ${kind}`;
  made.textContent = label;
  made.title = place;
  made.dataset["place"] = place;
  return made;
}
