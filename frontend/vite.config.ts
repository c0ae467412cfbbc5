import { defineConfig } from "vite";
import { basemap } from "./basemap/plugin.ts";

const NODE = process.env["DEEPCITY_NODE"] ?? "http://127.0.0.1:8123";

export default defineConfig({
  base: "./",
  plugins: [basemap()],
  // Relative paths, no inlined data: the page's policy allows only what its own server sends.
  build: {
    outDir: "../src/deepcity/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: true,
    // The map library changes with its version only, not with every line of ours.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "maplibre", test: /node_modules\/maplibre-gl/ }] } },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": NODE, "/health": NODE } },
});
