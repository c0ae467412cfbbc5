/** What is wrong with what is shown: shown at the top of every page, never silent. */
import { signal } from "@preact/signals";
import { clockSkew } from "../api/client";
import { ALL, city, now, nowS } from "../state/city";
import { connect, connection, heardAt, refreshAll, retryAt } from "../state/live";
import { say, t, word } from "../words";
import { clockWithSeconds, duration } from "../words/format";
import { Icon } from "./icon";

const WRONG_CLOCK_S = 30;

/** Milliseconds of this browser's clock, ticking while something is wrong. */
const tick = signal(Date.now());

export function keepTicking(): void {
  setInterval(() => {
    if (connection.value !== "live") tick.value = Date.now();
  }, 1_000);
}

export function Banners() {
  return (
    <div class="banners" role="status">
      <Lost />
      <WrongClock />
      <Stale />
    </div>
  );
}

function Lost() {
  if (connection.value !== "lost") return null;
  const away = duration((tick.value - heardAt.value) / 1000);
  const wait = retryAt.value === null ? null : Math.max(0, Math.ceil((retryAt.value - tick.value) / 1000));
  const again = () => {
    connect();
    refreshAll();
  };
  return (
    <p class="banner critical" id="lost">
      <Icon name="critical" />
      <span class="grow">
        {t("banner.lost", { away, time: clockWithSeconds(nowS.value || null) })}{" "}
        {wait !== null && t("banner.retry", { n: wait })}
      </span>
      <button type="button" onClick={again}>{t("banner.again")}</button>
    </p>
  );
}

function WrongClock() {
  const skew = clockSkew.value;
  if (skew === null || Math.abs(skew) <= WRONG_CLOCK_S) return null;
  const by = duration(Math.abs(skew));
  return (
    <p class="banner warning" id="wrong-clock">
      <Icon name="warning" /> {skew > 0 ? t("banner.clock_slow", { by }) : t("banner.clock_fast", { by })}
    </p>
  );
}

function Stale() {
  const bad = (now.data.value?.parties ?? []).filter((one) => one.status === "late" || one.status === "silent");
  const failed = ALL.filter((one) => one.error.value !== null && one.data.value !== null);
  if (bad.length === 0 && failed.length === 0) return null;
  const named = bad.map((one) => {
    const party = city.data.value?.parties.find((p) => p.service === one.service && p.party === one.party);
    return `${party ? say(party.title) : one.party} (${word("status", one.status)}, ${duration(one.lag_s)})`;
  });
  return (
    <p class="banner warning" id="stale">
      <Icon name="warning" />
      <span class="grow">
        {named.length > 0 && t("banner.stale", { n: named.length, which: named.slice(0, 3).join(", ") + (named.length > 3 ? " …" : "") })}{" "}
        {failed.length > 0 && connection.value === "live" && t("banner.not_refreshed", { n: failed.length })}
      </span>
      <a href="#/agencies">{t("nav.agencies")}</a>
    </p>
  );
}
