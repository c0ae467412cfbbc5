/** Terra Draw on a map; a chunk of its own, loaded when somebody draws. */
import type { Map as LibreMap } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

export type Tool = "point" | "linestring" | "polygon";

export interface Drawing {
  choose: (tool: Tool) => void;
  drawn: () => GeoJSON.FeatureCollection;
  stop: () => void;
}

export function startDrawing(map: LibreMap): Drawing {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 6 }),
    modes: [new TerraDrawPointMode(), new TerraDrawLineStringMode(), new TerraDrawPolygonMode()],
  });
  draw.start();
  return {
    choose: (tool) => draw.setMode(tool),
    drawn: () => ({
      type: "FeatureCollection",
      // Marks that help while a shape is open are no part of what was drawn.
      features: draw
        .getSnapshot()
        .filter((one) => ["point", "linestring", "polygon"].includes(String(one.properties["mode"])))
        .filter((one) => one.properties["currentlyDrawing"] !== true)
        .map((one) => ({ type: "Feature", properties: {}, geometry: one.geometry })) as GeoJSON.Feature[],
    }),
    stop: () => draw.stop(),
  };
}
