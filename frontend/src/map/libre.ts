/** MapLibre with its worker from our own server; loaded once, by itself. */
import { Map as LibreMap, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { MapColours } from "./basemap";
import { drawBasemap, emptyStyle, recolour } from "./basemap";
import type { Rgb } from "./webgl";
import { t } from "../words";
import { language } from "../words/language";

export { Marker } from "maplibre-gl";

setWorkerUrl(new URL(workerUrl, import.meta.url).href);

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function mapColours(): MapColours {
  return { water: css("--map-water"), land: css("--map-land"), border: css("--map-border") };
}

export function rgb(name: string): Rgb {
  const given = css(name).slice(1);
  const six = given.length === 3 ? [...given].map((one) => one + one).join("") : given;
  const hex = parseInt(six, 16);
  return [(hex >> 16) / 255, ((hex >> 8) & 255) / 255, (hex & 255) / 255];
}

export function hasWebGl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** A map of the offline basemap that follows the colour scheme; `scheme` is called on a change. */
export function openMap(container: HTMLElement, onScheme: () => void): LibreMap {
  const map = new LibreMap({
    container,
    style: emptyStyle(mapColours()),
    center: [15, 30], // until places or drawings say where
    zoom: 1,
    maxZoom: 17,
    attributionControl: { compact: true, customAttribution: "Natural Earth · NGII (Korea)" },
    dragRotate: false,
    pitchWithRotate: false,
    localIdeographFontFamily: "sans-serif",
    locale: locale(),
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl(), "bottom-left");
  map.once("load", () => void drawBasemap(map));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    recolour(map, mapColours());
    onScheme();
  };
  dark.addEventListener("change", follow);
  map.on("remove", () => dark.removeEventListener("change", follow));
  return map;
}

function locale(): Record<string, string> {
  language.value;
  return {
    "NavigationControl.ZoomIn": t("map.zoom_in"),
    "NavigationControl.ZoomOut": t("map.zoom_out"),
    "AttributionControl.ToggleAttribution": t("map.credits"),
    "Map.Title": t("map.canvas"),
  };
}
