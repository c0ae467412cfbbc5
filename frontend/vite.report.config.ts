import { defineConfig, type Plugin } from "vite";

/** Groups of words that the parts of a report use; it carries no others. */
const GROUPS = ["kind", "chart", "detail", "places", "decisions", "decision_status", "evidence", "services", "answer", "time"];

function fewerWords(): Plugin {
  return {
    name: "fewer-words",
    enforce: "pre",
    transform(code, id) {
      if (!/words\/(en|ko)\.json$/.test(id)) return null;
      const all = Object.entries(JSON.parse(code) as Record<string, string>);
      return JSON.stringify(Object.fromEntries(all.filter(([key]) => GROUPS.includes(key.split(".")[0] ?? ""))));
    },
  };
}

/** One script and one style sheet, which every report has inlined. */
export default defineConfig({
  plugins: [fewerWords()],
  publicDir: false,
  build: {
    outDir: "../src/deepcity/web/report/inlining/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      transform: { define: { "import.meta": "{}" } }, // a script inlined in a page has no address
      input: "src/report/main.tsx",
      output: {
        format: "iife", codeSplitting: false, entryFileNames: "report.js", assetFileNames: "report[extname]",
      },
    },
  },
});
