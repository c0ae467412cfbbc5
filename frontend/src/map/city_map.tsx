/** The map of one party's places at the shown moment. */
import { useEffect, useRef, useState } from "preact/hooks";
import { signal, useSignalEffect } from "@preact/signals";
import type { Map as LibreMap } from "maplibre-gl";
import type { Party, Place } from "../api/types";
import { openAlarms, party } from "../state/city";
import { frame, placeId } from "../state/moment";
import { t } from "../words";
import { number } from "../words/format";
import { rangeOf, type Range } from "./colour";
import type { CellLayer } from "./cell_layer";
import type { PlaceLayer } from "./place_layer";

/** The ends of the colour scale: it grows with what is seen, so that moments can be compared. */
export const range = signal<Range | null>(null);

interface Opened {
  map: LibreMap;
  layer: PlaceLayer;
  cells: CellLayer;
}

/** Of circles in their cells. */
const IN_CELLS = 0.45;

function fit(map: LibreMap, places: Place[], animate: boolean): void {
  let [w, s, e, n] = [180, 90, -180, -90];
  for (const { lat, lon } of places) {
    if (lat === null || lon === null) continue;
    [w, s, e, n] = [Math.min(w, lon), Math.min(s, lat), Math.max(e, lon), Math.max(n, lat)];
  }
  if (w > e) return;
  map.fitBounds([[w, s], [e, n]], { padding: 48, maxZoom: 14, animate });
}

async function open(box: HTMLElement): Promise<Opened> {
  const [{ openMap, rgb }, { PlaceLayer }, { CellLayer }] = await Promise.all([
    import("./libre"),
    import("./place_layer"),
    import("./cell_layer"),
  ]);
  const [layer, cells] = [new PlaceLayer(), new CellLayer()];
  const paint = () => {
    layer.colours = {
      edge: rgb("--map-edge"), none: rgb("--muted"), alarm: rgb("--critical"),
      chosen: rgb("--map-chosen"),
    };
    cells.edge = rgb("--map-edge");
  };
  paint();
  const map = openMap(box, paint);
  await new Promise<void>((done) => map.once("style.load", () => done()));
  map.addLayer(cells);
  map.addLayer(layer);
  // For measurements and tests of the page; nothing else reads it.
  Object.assign(window, { controlRoom: { map, layer, cells } });
  return { map, layer, cells };
}

function positioned(shown: Party | null): boolean {
  return shown?.places.some((one) => one.lat !== null && one.lon !== null) ?? false;
}

export function CityMap() {
  const box = useRef<HTMLDivElement>(null);
  const opened = useRef<Opened | null>(null);
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  const [tip, setTip] = useState<{ x: number; y: number; text: string } | null>(null);

  useEffect(() => {
    let gone = false;
    if (!box.current) return;
    open(box.current).then(
      (found) => {
        if (gone) return found.map.remove();
        opened.current = found;
        listen(found, setTip);
        setReady(true);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      opened.current?.map.remove();
      opened.current = null;
    };
  }, []);

  const places = party.value?.places;
  useEffect(() => {
    if (!ready || !opened.current || !places) return;
    const { cells, layer } = opened.current;
    cells.setCells(places, party.peek()?.outlines ?? null);
    layer.scale = cells.some ? IN_CELLS : 1;
    layer.setPlaces(places);
    fit(opened.current.map, places, false);
    draw(opened.current);
  }, [ready, places]);

  useSignalEffect(() => {
    void [frame.value, range.value, openAlarms.value, placeId.value];
    if (opened.current) draw(opened.current);
  });

  if (failed) return <p class="empty">{t("map.no_webgl")}</p>;
  return (
    <div class="map" data-kind={frame.value?.kind}>
      <div class="map-canvas" ref={box} data-ready={ready} />
      {!positioned(party.value) && <p class="map-note">{t("map.no_positions")}</p>}
      {tip && (
        <div class="tip" style={{ left: `${tip.x}px`, top: `${tip.y}px` }}>
          {tip.text}
        </div>
      )}
    </div>
  );
}

function draw({ layer, cells }: Opened): void {
  const shown = party.peek();
  const found = frame.peek();
  if (!shown) return;
  const alarmed = new Set(
    openAlarms
      .peek()
      .filter((one) => one.service === shown.service && one.party === shown.party)
      .map((one) => one.place ?? ""),
  );
  layer.setMarks(alarmed, placeId.peek());
  layer.setValues(found?.value ?? [], range.peek());
  cells.setValues(found?.value ?? [], range.peek());
}

function listen(
  { map, layer, cells }: Opened,
  setTip: (tip: { x: number; y: number; text: string } | null) => void,
): void {
  map.on("click", (event) => {
    const { x, y } = event.point;
    const found = cells.placeAt(x, y) ?? layer.placeAt(x, y);
    if (found) placeId.value = found.id;
  });
  map.on("mousemove", (event) => {
    const found = cells.placeAt(event.point.x, event.point.y) ?? layer.placeAt(event.point.x, event.point.y, 8);
    map.getCanvas().style.cursor = found ? "pointer" : "";
    if (!found) return setTip(null);
    const index = party.peek()?.places.indexOf(found) ?? -1;
    const value = number(frame.peek()?.value[index]);
    const text = `${found.id}: ${value} ${party.peek()?.unit ?? ""}`;
    setTip({ x: event.point.x, y: event.point.y, text });
  });
  map.on("mouseout", () => setTip(null));
}

let rangedParty: Party | null = null;

/** Call once: keeps the colour scale wide enough for what is shown. */
export function followRange(): () => void {
  return frame.subscribe((found) => {
    const shown = party.peek();
    if (shown !== rangedParty) range.value = null;
    rangedParty = shown;
    if (found) range.value = rangeOf(found.value, range.peek());
  });
}
