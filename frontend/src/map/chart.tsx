/** Measured, forecast and band of one place. */
import { useEffect, useRef } from "preact/hooks";
import { useSignalEffect } from "@preact/signals";
import type uPlot from "uplot";
import type { Series } from "../api/types";
import { city, party } from "../state/city";
import { language } from "../state/preferences";
import { chosenS, series, seriesThen, shownS, span } from "../state/moment";
import { t } from "../words";
import { number } from "../words/format";

const HEIGHT = 190;

type Row = (number | null)[];

/** Columns of the chart over all times: measured, band, forecast, forecast as known then. */
export function columns(found: Series, then: Series["forecast"]): Row[] {
  const at = new Map<number, Row>();
  const put = (column: number, times: number[], values: Row) =>
    times.forEach((time, i) => {
      const row = at.get(time) ?? [null, null, null, null, null];
      row[column] = values[i] ?? null;
      at.set(time, row);
    });
  put(0, found.measured.time, found.measured.value);
  if (found.forecast) {
    const { time, low, high, value } = found.forecast;
    put(1, time, high);
    put(2, time, low);
    put(3, time, value);
  }
  if (then) put(4, then.time, then.value);
  const times = [...at.keys()].sort((a, b) => a - b);
  return [times, ...[0, 1, 2, 3, 4].map((column) => times.map((time) => at.get(time)?.[column] ?? null))];
}

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(Plot: typeof uPlot, width: number): uPlot.Options {
  const [text, line, accent, muted] = [css("--text"), css("--line"), css("--accent"), css("--muted")];
  const zone = city.data.peek()?.time_zone ?? "UTC";
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const font = "12px system-ui, sans-serif";
  return {
    width,
    height: HEIGHT,
    tzDate: (time) => Plot.tzDate(new Date(time * 1000), zone),
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: { x: { time: true } },
    axes: [
      { ...axis, font, values: "{HH}:{mm}", space: 60, size: 28 },
      { ...axis, font, size: 46, values: (_, ticks) => ticks.map((one) => number(one)) },
    ],
    series: [
      {},
      { stroke: text, width: 1.8, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: accent, width: 2, dash: [6, 4], points: { show: false } },
      { stroke: muted, width: 1.6, dash: [2, 3], points: { show: false } },
    ],
    bands: [{ series: [2, 3], fill: css("--band") }],
    hooks: {
      draw: [
        (plot) => {
          mark(plot, span.peek().now, muted, []);
          if (chosenS.peek() !== null) mark(plot, shownS.peek(), accent, [3, 3]);
        },
      ],
    },
  };
}

function mark(plot: uPlot, time: number, colour: string, dash: number[]): void {
  const x = Math.round(plot.valToPos(time, "x", true));
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = colour;
  plot.ctx.lineWidth = devicePixelRatio;
  plot.ctx.setLineDash(dash.map((one) => one * devicePixelRatio));
  plot.ctx.beginPath();
  plot.ctx.moveTo(x, top);
  plot.ctx.lineTo(x, top + height);
  plot.ctx.stroke();
  plot.ctx.restore();
}

export function Chart() {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);

  useEffect(() => {
    let gone = false;
    let watcher: ResizeObserver | null = null;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let make = () => {};
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: Plot }]) => {
      if (gone || !box.current) return;
      const host = box.current;
      make = () => {
        plot.current?.destroy();
        plot.current = new Plot(options(Plot, host.clientWidth), data(), host);
      };
      make();
      watcher = new ResizeObserver(() =>
        plot.current?.setSize({ width: host.clientWidth, height: HEIGHT }),
      );
      watcher.observe(host);
      dark.addEventListener("change", make);
    });
    return () => {
      gone = true;
      watcher?.disconnect();
      dark.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [language.value]);

  useSignalEffect(() => {
    void [series.value, seriesThen.value, shownS.value];
    plot.current?.setData(data());
  });

  return <div class="chart" ref={box} role="img" aria-label={summary()} />;
}

function data(): uPlot.AlignedData {
  const found = series.peek();
  return (found ? columns(found, seriesThen.peek()) : [[], [], [], [], [], []]) as uPlot.AlignedData;
}

/** The chart in one sentence, for who does not see it. */
function summary(): string {
  const found = series.value;
  const unit = party.value?.unit ?? "";
  if (!found) return t("chart.loading");
  const last = [...found.measured.value].reverse().find((one) => one !== null) ?? null;
  const ahead = found.forecast?.value.filter((one): one is number => one !== null) ?? [];
  return t("chart.summary", {
    place: found.place,
    last: `${number(last)} ${unit}`,
    low: number(ahead.length ? Math.min(...ahead) : null),
    high: `${number(ahead.length ? Math.max(...ahead) : null)} ${unit}`,
  });
}
