/** Times in the city's zone, numbers and lengths of time in the reader's language. */
import { city } from "../state/city";
import { language } from "../state/preferences";
import { t } from "./index";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(time: number | null | undefined, how: Intl.DateTimeFormatOptions): string {
  if (time === null || time === undefined) return "–";
  const timeZone = city.data.value?.time_zone ?? "UTC";
  const key = JSON.stringify([language.value, timeZone, how]);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language.value, { timeZone, hourCycle: "h23", ...how });
    formats.set(key, format);
  }
  return format.format(time * 1000);
}

export const clock = (time: number | null | undefined) =>
  formatted(time, { hour: "2-digit", minute: "2-digit" });

export const clockWithSeconds = (time: number | null | undefined) =>
  formatted(time, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const dayAndClock = (time: number | null | undefined) =>
  formatted(time, {
    month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit",
  });

export const day = (time: number | null | undefined) =>
  formatted(time, { year: "numeric", month: "short", day: "numeric", weekday: "short" });

export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const big = Math.abs(value) >= 1000;
  const how = big ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat(language.value, how).format(value);
}

export function percent(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined) return "–";
  const how = { style: "percent", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language.value, how).format(value);
}

export function signedPercent(value: number | null): string {
  if (value === null) return "–";
  const how = { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" } as const;
  return new Intl.NumberFormat(language.value, how).format(value);
}

export function bytes(value: number | null): string {
  if (value === null) return "–";
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const at = value < 1 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3));
  return new Intl.NumberFormat(language.value, {
    style: "unit", unit: units[at] ?? "byte", unitDisplay: "short", maximumSignificantDigits: 3,
  }).format(value / 1000 ** at);
}

/** A length of time in its two largest units at most. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("time.seconds", { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("time.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    const rest = minutes % 60;
    return rest ? t("time.hours_minutes", { h: hours, m: rest }) : t("time.hours", { n: hours });
  }
  return t("time.days", { n: Math.round(hours / 24) });
}
