/** Searches for a person: the list, and opening one. */
import { useEffect } from "preact/hooks";
import { mayAct } from "../state/city";
import { say, t } from "../words";
import { dayAndClock } from "../words/format";
import { Failure } from "../shell/failure";
import { OpenCase } from "./open_case";
import { cases, LIST_EVERY_MS, type CaseSummary } from "./records";

/** Asks for the list again and again while a page is open: others open and approve. */
export function useCases(): void {
  useEffect(() => {
    void cases.load();
    const timer = setInterval(() => void cases.load(), LIST_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

export function SearchesPage() {
  useCases();
  const found = cases.data.value;
  return (
    <div class="page">
      <div class="page-bar"><h1>{t("nav.searches")}</h1></div>
      <p class="quiet">{t("searches.about")}</p>
      <Failure error={cases.error.value} />
      {found?.cases.length === 0 && <p class="empty">{t("searches.none")}</p>}
      <ul class="cards" id="cases">
        {found?.cases.map((one) => <li key={one.id}><CaseLine one={one} /></li>)}
      </ul>
      {found && mayAct.value && <OpenCase found={found} />}
    </div>
  );
}

function CaseLine({ one }: { one: CaseSummary }) {
  return (
    <a class="card bare-card" href={`#/searches/${one.id}`} data-case={one.id}>
      <b>{say(one.title)}: {one.purpose}</b>
      <span class="quiet">{t("searches.opened", { time: dayAndClock(one.opened_s), who: one.opened_by })}</span>
      <span class="quiet">{t("searches.asks", { cities: one.cities.join(", ") })}</span>
      <StatePill one={one} />
    </a>
  );
}

const TONES = { waiting: "waiting", open: "live", over: "late", closed: "closed" };

export function StatePill({ one }: { one: CaseSummary }) {
  return <span class={`pill ${TONES[one.state]}`} data-state={one.state}>{t(`searches.is_${one.state}`)}</span>;
}
