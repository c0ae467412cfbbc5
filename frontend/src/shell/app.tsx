/** The frame around all pages. */
import { useEffect, useRef } from "preact/hooks";
import { loggedOut } from "../api/client";
import { city, openAlarms, waitingDecisions } from "../state/city";
import { wall } from "../state/preferences";
import { say, t } from "../words";
import { AlarmQueue } from "../alarms/queue";
import { DecisionCards } from "../decisions/cards";
import { HandoverPage } from "../handover/handover";
import { HousePage } from "../house/house";
import { IncidentsPage } from "../incidents/incidents";
import { IncidentRoom } from "../incidents/room";
import { InterCityPage } from "../intercity/intercity";
import { Overview } from "../map/overview";
import { SourcesPage } from "../agencies/sources";
import { CaseRoom } from "../searches/case_room";
import { SearchesPage } from "../searches/searches";
import { ServicePage } from "../services/page";
import { ServicesPage } from "../services/services";
import { Announcer } from "./announcer";
import { Banners } from "./banners";
import { Failure } from "./failure";
import { Header } from "./header";
import { Icon } from "./icon";
import { Login } from "./login";
import { pages, route, type Page } from "./pages";
import { Help } from "./shortcuts";
import { Wall } from "./wall";

export function App() {
  if (loggedOut.value) return <Login />;
  if (wall) return <><Wall /><Announcer /></>;
  return (
    <div class="app">
      <a class="skip" href="#main" onClick={skip}>{t("app.skip")}</a>
      <Header />
      <Banners />
      <Navigation />
      <Main />
      <Help />
      <Announcer />
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault(); // the address names the page, not a part of it
  document.getElementById("main")?.focus();
}

function Main() {
  const { page, rest } = route.value;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const title = `${t(`nav.${page}`)} · ${say(city.data.value?.title) || "deepcity"}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus();
  }, [page, rest]);
  const loaded = city.data.value !== null;
  return (
    <main id="main" tabIndex={-1} ref={main} class={`at-${page}`}>
      {!loaded && <Failure error={city.error.value} />}
      {!loaded && city.error.value === null && <p class="empty">{t("app.loading")}</p>}
      {loaded && pageOf(page, rest)}
    </main>
  );
}

function pageOf(page: Page, rest: string | null) {
  switch (page) {
    case "alarms": return <AlarmQueue />;
    case "decisions": return <DecisionCards chosen={rest} />;
    case "services": return rest ? <ServicePage name={rest} key={rest} /> : <ServicesPage />;
    case "handover": return <HandoverPage />;
    case "agencies": return <SourcesPage />;
    case "intercity": return <InterCityPage />;
    case "house": return <HousePage />;
    case "incidents": return rest ? <IncidentRoom id={rest} key={rest} /> : <IncidentsPage />;
    case "searches": return rest ? <CaseRoom id={rest} key={rest} /> : <SearchesPage />;
    default: return <Overview />;
  }
}

function Navigation() {
  const counts: Partial<Record<Page, number>> = {
    alarms: openAlarms.value.length,
    decisions: waitingDecisions.value.length,
  };
  return (
    <nav class="side" aria-label={t("nav.label")}>
      {pages.value.map((page) => (
        <a href={`#/${page}`} key={page} aria-label={t(`nav.${page}`)} aria-current={route.value.page === page ? "page" : undefined}>
          <Icon name={page} />
          <span class="long">{t(`nav.${page}`)}</span>
          <span class="short" aria-hidden="true">{t(`short.${page}`)}</span>
          {Boolean(counts[page]) && <span class="count">{counts[page]}</span>}
        </a>
      ))}
    </nav>
  );
}
