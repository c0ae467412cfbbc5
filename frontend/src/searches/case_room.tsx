/** One search: approvals, sightings as a path, what to watch and whom to ask, and its end. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { mayAct } from "../state/city";
import { say, t, word } from "../words";
import { dayAndClock, number, percent } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { Approvals } from "./approvals";
import { CaseMap } from "./case_map";
import { Closing } from "./closing";
import { Hits } from "./hits";
import { caseId, cases, shownCase, type Case, type PersonWords } from "./records";
import { StatePill, useCases } from "./searches";

export type Act = (verb: string, body: unknown) => Promise<boolean>;

export function CaseRoom({ id }: { id: string }) {
  useCases();
  useEffect(() => {
    shownCase.data.value = null;
    caseId.value = id;
    void shownCase.load();
    return () => {
      caseId.value = null;
    };
  }, [id]);
  const newest = cases.data.value?.cases.find((one) => one.id === id)?.version;
  useEffect(() => {
    const known = shownCase.data.value?.version;
    if (newest !== undefined && known !== undefined && newest !== known) void shownCase.load();
  }, [newest]);
  const post = useAction<Case>((answer) => {
    shownCase.data.value = answer;
    void cases.load();
  });
  const act: Act = (verb, body) => post.act(`/api/cases/${encodeURIComponent(id)}/${verb}`, body);
  const one = shownCase.data.value;
  if (!one || one.id !== id) return <div class="page"><Failure error={shownCase.error.value} /></div>;
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{say(one.title)}: {one.purpose}</h1>
        <StatePill one={one} />
        <a href="#/searches">{t("searches.all")}</a>
      </div>
      <Failure error={post.error ?? shownCase.error.value} />
      <Report one={one} />
      <Approvals one={one} act={act} busy={post.busy} />
      {one.hits && one.searched !== undefined && <Searching one={one} act={act} busy={post.busy} />}
      {one.hits && one.searched && <Findings one={one} act={act} busy={post.busy} />}
      <Closing one={one} act={act} busy={post.busy} />
    </div>
  );
}

function Report({ one }: { one: Case }) {
  return (
    <section class="card" id="report" aria-label={t("searches.report")}>
      <h2>{t("searches.report")}</h2>
      <p>{t("searches.asks", { cities: one.cities.join(", ") })}</p>
      {one.query && <p id="who">{described(one.query)}</p>}
      {one.last_seen && <p>{t("searches.last", { time: dayAndClock(one.last_seen.at_s), lat: one.last_seen.lat.toFixed(5), lon: one.last_seen.lon.toFixed(5) })}</p>}
      <p class="quiet">{t("searches.span", { since: dayAndClock(one.since_s), until: dayAndClock(one.until_s) })}</p>
      <p class="quiet">{t("searches.recorded")}</p>
    </section>
  );
}

function described(who: PersonWords): string {
  const colours = (codes: string[]) => codes.map((one) => word("colour", one)).join(", ");
  const parts = [
    who.pictures > 0 && t("searches.by_pictures", { n: who.pictures, network: who.network }),
    who.height_m && t("searches.by_height", { least: number(who.height_m[0]), most: number(who.height_m[1]) }),
    who.upper.length > 0 && t("searches.by_upper", { colours: colours(who.upper) }),
    who.lower.length > 0 && t("searches.by_lower", { colours: colours(who.lower) }),
  ];
  return parts.filter(Boolean).join(" · ");
}

function Searching({ one, act, busy }: { one: Case; act: Act; busy: boolean }) {
  const watching = useSignal(false);
  const open = one.state === "open" && mayAct.value;
  useEffect(() => {
    if (!watching.value || !open) return;
    void act("searches", { watching: true });
    const timer = setInterval(() => void act("searches", { watching: true }), 1000 * one.search_every_s);
    return () => clearInterval(timer);
  }, [watching.value, open]);
  if (!open) return null;
  return (
    <div class="buttons" id="searching">
      <button type="button" class="primary" id="search" disabled={busy} onClick={() => void act("searches", {})}>
        {t("searches.search")}
      </button>
      <label class="switch">
        <input type="checkbox" name="watching" checked={watching.value} onChange={(event) => (watching.value = event.currentTarget.checked)} />
        {t("searches.watch", { n: one.search_every_s })}
      </label>
    </div>
  );
}

function Findings({ one, act, busy }: { one: Case; act: Act; busy: boolean }) {
  return (
    <div class="room">
      <div class="room-log">
        <section class="card" id="findings" aria-label={t("searches.together")}>
          <h2>{t("searches.together")}</h2>
          <ul class="reasons">{one.sentences?.map((words, i) => <li key={i}>{say(words)}</li>)}</ul>
          <p class="never">{t("searches.no_proof")}</p>
        </section>
        <Hits one={one} act={act} busy={busy} />
      </div>
      <div class="room-side">
        <CaseMap one={one} />
        <Next one={one} />
      </div>
    </div>
  );
}

function Next({ one }: { one: Case }) {
  return (
    <section class="card" id="next" aria-label={t("searches.next")}>
      <h2>{t("searches.next")}</h2>
      {one.watch?.length === 0 && <p class="quiet">{t("searches.no_cameras")}</p>}
      <ul class="lines">
        {one.watch?.map(({ place, share }) => <li key={place}>{t("searches.watch_camera", { place, share: percent(share) })}</li>)}
      </ul>
      {one.ask?.map(({ city, share }) => <p key={city} class="warn">{t("searches.ask_city", { city, share: percent(share) })}</p>)}
    </section>
  );
}
