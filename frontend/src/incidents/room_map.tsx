/** The room's map: what was drawn so far, and tools to draw more. The tools load when asked for. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { GeoJSONSource, Map as LibreMap } from "maplibre-gl";
import type { Incident } from "../api/types";
import { city } from "../state/city";
import { t } from "../words";
import type { Drawing, Tool } from "./drawing";
import { drawings } from "./records";

const TOOLS: Tool[] = ["point", "linestring", "polygon"];

interface Props {
  room: Incident;
  may: boolean;
  draw: (geometry: GeoJSON.FeatureCollection, text: string) => Promise<boolean>;
}

function collection(room: Incident): GeoJSON.FeatureCollection {
  return { type: "FeatureCollection", features: drawings(room) };
}

function addDrawn(map: LibreMap, colour: string): void {
  map.addSource("drawn", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const source = "drawn";
  map.addLayer({ id: "drawn-fill", type: "fill", source, filter: ["==", "$type", "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.2 } });
  map.addLayer({ id: "drawn-line", type: "line", source, filter: ["!=", "$type", "Point"], paint: { "line-color": colour, "line-width": 3 } });
  map.addLayer({ id: "drawn-point", type: "circle", source, filter: ["==", "$type", "Point"], paint: { "circle-color": colour, "circle-radius": 7, "circle-stroke-width": 2, "circle-stroke-color": "#fff" } });
}

/** The middle of the city: that of all its places. */
function middle(): { center: [number, number]; zoom: number } {
  const placed = (city.data.peek()?.parties ?? []).flatMap((one) => one.places).filter((one) => one.lat !== null);
  if (placed.length === 0) return { center: [15, 30], zoom: 1 };
  const sum = (values: (number | null)[]) => values.reduce<number>((a, b) => a + (b ?? 0), 0);
  return {
    center: [sum(placed.map((one) => one.lon)) / placed.length, sum(placed.map((one) => one.lat)) / placed.length],
    zoom: 11,
  };
}

export function RoomMap({ room, may, draw }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<LibreMap | null>(null);
  const tools = useRef<Drawing | null>(null);
  const [tool, setTool] = useState<Tool | null>(null);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    void import("../map/libre").then(({ openMap }) => {
      if (gone || !box.current) return;
      const opened = openMap(box.current, () => undefined);
      opened.jumpTo(middle());
      opened.once("style.load", () => {
        const css = getComputedStyle(document.documentElement);
        addDrawn(opened, css.getPropertyValue("--critical").trim());
        map.current = opened;
        setReady(true);
      });
    });
    return () => {
      gone = true;
      tools.current?.stop();
      map.current?.remove();
      map.current = null;
    };
  }, []);

  useEffect(() => {
    if (ready) map.current?.getSource<GeoJSONSource>("drawn")?.setData(collection(room));
  }, [ready, room.entries.length]);

  const choose = async (to: Tool) => {
    const { startDrawing } = await import("./drawing");
    if (!map.current) return;
    tools.current ??= startDrawing(map.current);
    tools.current.choose(to);
    setTool(to);
  };
  const clear = () => {
    tools.current?.stop();
    tools.current = null;
    setTool(null);
  };
  const save = async () => {
    const drawn = tools.current?.drawn();
    if (drawn && drawn.features.length > 0 && (await draw(drawn, ""))) clear();
  };

  return (
    <section class="card" aria-label={t("room.map")}>
      <h2>{t("room.map")} <small class="quiet">{t("room.drawings", { n: drawings(room).length })}</small></h2>
      {may && (
        <div class="buttons" role="group" aria-label={t("room.tools")}>
          {TOOLS.map((one) => (
            <button type="button" key={one} data-tool={one} aria-pressed={tool === one} disabled={!ready} onClick={() => void choose(one)}>
              {t(`tool.${one}`)}
            </button>
          ))}
          {tool && <button type="button" class="primary" data-tool="save" onClick={() => void save()}>{t("tool.save")}</button>}
          {tool && <button type="button" onClick={clear}>{t("tool.clear")}</button>}
        </div>
      )}
      {tool && <p class="quiet">{t(`tool.${tool}_how`)}</p>}
      <div class="room-map" ref={box} data-ready={ready} />
    </section>
  );
}
