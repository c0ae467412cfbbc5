/** Measured, forecast and band of one place; the arrow keys walk along it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Series } from "../api/types";
import { t } from "../words";
import { clock, dayAndClock, monthDay, number } from "../words/format";
import { language } from "../words/language";

const DAY_S = 86_400;

type Row = (number | null)[];

/** A moment that a line is drawn at. */
export interface Mark {
  time: number;
  /** The chosen one; else a plain line. */
  chosen: boolean;
}

interface Props {
  series: Series | null;
  /** Another forecast beside it: as it was known then, or another's. */
  then?: Series["forecast"];
  thenName?: string;
  unit: string;
  zone: string;
  marks?: Mark[];
  height?: number;
}

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

/** The time; at midnight, and where each tick is a day or more, the day. */
function ticks(zone: string, times: number[]): string[] {
  const far = times.length > 1 && (times[1] ?? 0) - (times[0] ?? 0) >= DAY_S;
  return times.map((time) => {
    const shown = clock(time, zone);
    return far || shown === "00:00" ? monthDay(time, zone) : shown;
  });
}

interface Drawing {
  zone: string;
  height: number;
  marks: () => Mark[];
  moved: (at: number | null) => void;
}

function options(Plot: typeof uPlot, host: HTMLElement, { zone, height, marks, moved }: Drawing): uPlot.Options {
  const css = (name: string) => getComputedStyle(host).getPropertyValue(name).trim();
  const [text, line, accent, muted] = [css("--text"), css("--line"), css("--accent"), css("--muted")];
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const font = "12px system-ui, sans-serif";
  return {
    width: host.clientWidth,
    height,
    tzDate: (time) => Plot.tzDate(new Date(time * 1000), zone),
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { x: { time: true } },
    axes: [
      { ...axis, font, values: (_, times) => ticks(zone, times), space: 60, size: 28 },
      { ...axis, font, size: 46, values: (_, values) => values.map((one) => number(one)) },
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
      draw: [(plot) => marks().forEach((one) => mark(plot, one, one.chosen ? accent : muted))],
      setCursor: [(plot) => moved(plot.cursor.idx ?? null)],
    },
  };
}

function mark(plot: uPlot, { time, chosen }: Mark, colour: string): void {
  const x = Math.round(plot.valToPos(time, "x", true));
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = colour;
  plot.ctx.lineWidth = devicePixelRatio;
  plot.ctx.setLineDash((chosen ? [3, 3] : []).map((one) => one * devicePixelRatio));
  plot.ctx.beginPath();
  plot.ctx.moveTo(x, top);
  plot.ctx.lineTo(x, top + height);
  plot.ctx.stroke();
  plot.ctx.restore();
}

export function SeriesChart({ series, then = null, thenName = t("chart.earlier"), unit, zone, marks = [], height = 190 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const data = series ? columns(series, then) : [[], [], [], [], [], []];
  const newest = useRef({ data, marks });
  newest.current = { data, marks };

  useEffect(() => {
    let gone = false;
    let watcher: ResizeObserver | null = null;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let make = () => {};
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: Plot }]) => {
      if (gone || !box.current) return;
      const host = box.current;
      const drawing = { zone, height, marks: () => newest.current.marks, moved: setAt };
      make = () => {
        plot.current?.destroy();
        plot.current = new Plot(options(Plot, host, drawing), newest.current.data as uPlot.AlignedData, host);
      };
      make();
      watcher = new ResizeObserver(() => plot.current?.setSize({ width: host.clientWidth, height }));
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
  }, [language.value, zone, height]);

  useEffect(() => {
    plot.current?.setData(data as uPlot.AlignedData);
  }, [series, then, JSON.stringify(marks)]);

  const walk = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const by = moves[event.key];
    const last = (data[0]?.length ?? 0) - 1;
    if (by === undefined || !plot.current || last < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(Math.max((at ?? (by > 0 ? -1 : last + 1)) + by, 0), last);
    plot.current.setCursor({ left: plot.current.valToPos(data[0]?.[next] ?? 0, "x"), top: 0 });
  };

  return (
    <div>
      <div class="chart" ref={box} role="img" tabIndex={0} aria-label={summary(series, unit)} onKeyDown={walk} style={{ minHeight: `${height}px` }} />
      <p class="chart-values" aria-live="polite">{at === null ? <span class="quiet">{t("chart.read")}</span> : values(data, at, { unit, zone, thenName })}</p>
    </div>
  );
}

/** What the chart says at one time. */
function values(data: Row[], at: number, { unit, zone, thenName }: { unit: string; zone: string; thenName: string }): string {
  const [time, measured, high, low, forecast, then] = data.map((column) => column[at] ?? null);
  const parts = [
    measured !== null && measured !== undefined && `${t("kind.measured")} ${number(measured)} ${unit}`,
    forecast !== null && forecast !== undefined && `${t("kind.forecast")} ${number(forecast)} ${unit}`,
    low !== null && low !== undefined && t("detail.band", { low: number(low), high: number(high) }),
    then !== null && then !== undefined && `${thenName} ${number(then)} ${unit}`,
  ];
  return [dayAndClock(time, zone), ...parts.filter(Boolean)].join(" · ");
}

/** The chart in one sentence, for who does not see it. */
function summary(found: Series | null, unit: string): string {
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
