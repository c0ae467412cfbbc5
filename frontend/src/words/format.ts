/** Times in the city's zone, numbers and lengths of time in the reader's language. */
import { t } from "./index";
import { language, timeZone } from "./language";

const formats = new Map<string, Intl.DateTimeFormat>();

type Time = number | null | undefined;

function formatted(time: Time, zone: string, how: Intl.DateTimeFormatOptions): string {
  if (time === null || time === undefined) return "–";
  const key = JSON.stringify([language.value, zone, how]);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language.value, { timeZone: zone, hourCycle: "h23", ...how });
    formats.set(key, format);
  }
  return format.format(time * 1000);
}

export const clock = (time: Time, zone = timeZone.value) =>
  formatted(time, zone, { hour: "2-digit", minute: "2-digit" });

export const clockWithSeconds = (time: Time, zone = timeZone.value) =>
  formatted(time, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const dayAndClock = (time: Time, zone = timeZone.value) =>
  formatted(time, zone, {
    month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit",
  });

/** As a field for a day and a time has it. */
export const localInput = (time: number, zone = timeZone.value) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(time * 1000).replace(" ", "T");

export const monthDay = (time: Time, zone = timeZone.value) =>
  formatted(time, zone, { month: "short", day: "numeric" });

export const day = (time: Time, zone = timeZone.value) =>
  formatted(time, zone, { year: "numeric", month: "short", day: "numeric", weekday: "short" });

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

/** A change as reports write it: a true minus, one decimal below ten per cent, nothing as -0. */
export function signedPercent(value: number | null): string {
  if (value === null) return "–";
  const digits = Math.abs(value) < 0.0995 ? 1 : 0;
  const shown = `${(Math.abs(value) * 100).toFixed(digits)}%`;
  return shown === "0.0%" ? shown : `${value < 0 ? "−" : "+"}${shown}`;
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
