/** What is wrong with what is shown: shown at the top of every page, never silent. */
import { signal } from "@preact/signals";
import { clockSkew } from "../api/client";
import { ALL, city, now, nowS } from "../state/city";
import { connection, heardAt, retryAt, tryNow } from "../state/live";
import { say, t, word } from "../words";
import { clockWithSeconds, duration } from "../words/format";
import { Icon } from "./icon";

const WRONG_CLOCK_S = 30;
const NAMED = 3; // parties; the page of agencies has them all

/** Milliseconds of this browser's clock, ticking while something is wrong. */
const tick = signal(Date.now());

export function keepTicking(): void {
  setInterval(() => {
    if (connection.value !== "live") tick.value = Date.now();
  }, 1_000);
}

export function Banners() {
  return (
    <>
      <div class="banners">
        <Lost />
        <WrongClock />
        <Stale />
      </div>
      <Announced />
    </>
  );
}

/** The same for a screen reader, without what counts on: it is read aloud once, not each second. */
function Announced() {
  const late = lateParties();
  return (
    <div class="sr" role="status" id="announce-state">
      {connection.value === "lost" && t("announce.lost", { time: clockWithSeconds(nowS.value || null) })}{" "}
      {wrongBy() !== null && clockWords(wrongBy() ?? 0)}{" "}
      {late.length > 0 && t("banner.stale", { n: late.length, which: named(late.map((one) => one.title)) })}
    </div>
  );
}

function Lost() {
  if (connection.value !== "lost") return null;
  const away = duration((tick.value - heardAt.value) / 1000);
  const wait = retryAt.value === null ? null : Math.max(0, Math.ceil((retryAt.value - tick.value) / 1000));
  return (
    <div class="banner critical" id="lost">
      <Icon name="critical" />
      <div class="grow">
        <p>
          {t("banner.lost", { away, time: clockWithSeconds(nowS.value || null) })}{" "}
          <b id="retry">{wait === null ? t("banner.trying") : t("banner.retry", { n: wait })}</b>
        </p>
        <p class="quiet">{t("banner.kept")}</p>
      </div>
      <button type="button" onClick={tryNow}>{t("banner.again")}</button>
    </div>
  );
}

/** Seconds that this computer's clock is behind the server's, if that matters. */
function wrongBy(): number | null {
  const skew = clockSkew.value;
  return skew === null || Math.abs(skew) <= WRONG_CLOCK_S ? null : skew;
}

function clockWords(skew: number): string {
  const by = duration(Math.abs(skew));
  return skew > 0 ? t("banner.clock_slow", { by }) : t("banner.clock_fast", { by });
}

function WrongClock() {
  const skew = wrongBy();
  if (skew === null) return null;
  return (
    <p class="banner warning" id="wrong-clock">
      <Icon name="warning" /> {clockWords(skew)}
    </p>
  );
}

function lateParties() {
  const bad = (now.data.value?.parties ?? []).filter((one) => one.status === "late" || one.status === "silent");
  return bad.map((one) => {
    const party = city.data.value?.parties.find((p) => p.service === one.service && p.party === one.party);
    return { title: party ? say(party.title) : one.party, status: word("status", one.status), lag: one.lag_s };
  });
}

function named(all: string[]): string {
  return all.slice(0, NAMED).join(", ") + (all.length > NAMED ? " …" : "");
}

function Stale() {
  const late = lateParties();
  const failed = ALL.filter((one) => one.error.value !== null && one.data.value !== null);
  if (late.length === 0 && failed.length === 0) return null;
  const which = named(late.map((one) => `${one.title} (${one.status}, ${t("map.age", { age: duration(one.lag) })})`));
  return (
    <p class="banner warning" id="stale">
      <Icon name="warning" />
      <span class="grow">
        {late.length > 0 && t("banner.stale", { n: late.length, which })}{" "}
        {failed.length > 0 && connection.value === "live" && t("banner.not_refreshed", { n: failed.length })}
      </span>
      <a href="#/agencies">{t("nav.agencies")}</a>
    </p>
  );
}
