/**
 * A report's live parts: the forecast as the control room's chart, decisions as its cards. They
 * stand where the page has pictures and words that need no script; nothing is asked of any server.
 */
import { render } from "preact";
import "./report.css";
import { DecisionCard } from "../decisions/card";
import { Numbers } from "../chart/numbers";
import { SeriesChart } from "../chart/series_chart";
import { say, t } from "../words";
import { language } from "../words/language";
import { aloneOf, decisionOf, knownZone, partyAt, read, seriesOf, type Inlined, type ShownParty } from "./records";

function Forecast({ party }: { party: ShownParty }) {
  const kept = party.forecast;
  if (!kept) return null;
  const zone = knownZone(kept.time_zone);
  const series = seriesOf(kept, party.step_s);
  return (
    <>
      <p class="quiet">{party.unit}</p>
      <SeriesChart series={series} then={aloneOf(kept)} thenName={t("chart.alone")} unit={party.unit} zone={zone} height={290} />
      <ul class="legend" aria-hidden="true">
        {kept.truth && <li><i class="line solid" />{t("kind.measured")}</li>}
        <li><i class="line dashed" />{t("kind.forecast")}</li>
        <li><i class="patch" />{t("chart.band")}</li>
        <li><i class="line dotted" />{t("chart.alone")}</li>
      </ul>
      <Numbers series={series} zone={zone} />
    </>
  );
}

function Decided({ party }: { party: ShownParty }) {
  const shown = party.decision;
  if (!shown) return null;
  const zone = knownZone(party.forecast?.time_zone ?? "UTC");
  return (
    <DecisionCard
      decision={decisionOf(shown, say(party.title))} whose={say(party.title)} state={say(shown.state)}
      warns={shown.warns} now_s={null} zone={zone}
    />
  );
}

const MAKES = { forecast: Forecast, decision: Decided };

function mount(all: Inlined, host: HTMLElement): void {
  const kind = host.dataset["live"] as keyof typeof MAKES;
  const party = partyAt(all, host.dataset["of"] ?? "");
  const Part = MAKES[kind];
  if (!Part || !party?.[kind]) return;
  const box = document.createElement("div");
  box.className = "live";
  host.append(box);
  render(<Part party={party} />, box);
  host.classList.add("lives"); // the picture stays for print
}

/** Each when it is first seen: a report may have a hundred charts. */
function mountAll(all: Inlined): void {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      mount(all, target as HTMLElement);
    }
  }, { rootMargin: "300px" });
  for (const host of document.querySelectorAll("[data-live]")) seen.observe(host);
}

function followLanguage(): void {
  const follow = () => (language.value = document.documentElement.lang === "ko" ? "ko" : "en");
  follow();
  new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ["lang"] });
}

document.addEventListener("DOMContentLoaded", () => {
  const all = read("results");
  followLanguage();
  if (all) mountAll(all);
});
