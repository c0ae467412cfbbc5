/** Agencies and their sources: how old, how late, how many rows, and what data check doubts. */
import { query } from "../api/client";
import type { Source } from "../api/types";
import { useFetched } from "../services/fetched";
import { sources } from "../state/city";
import { chosenS, pastS } from "../state/moment";
import { say, t, word } from "../words";
import { dayAndClock, duration, number, percent } from "../words/format";
import { Failure } from "../shell/failure";

export function SourcesPage() {
  const then = pastS.value;
  const past = useFetched<Source[]>(then === null ? null : `/api/sources?${query({ known: then })}`);
  const found = then === null ? sources.data.value : past.answer;
  return (
    <div class="page">
      <div class="page-bar"><h1>{t("nav.agencies")}</h1></div>
      {then !== null && (
        <p class="notice" id="as-known">
          {t("sources.as_known", { time: dayAndClock(then) })}{" "}
          <button type="button" onClick={() => (chosenS.value = null)}>{t("slider.now")}</button>
        </p>
      )}
      <Failure error={then === null ? sources.error.value : past.error} />
      {found?.length ? <SourceTable sources={found} /> : found && <p class="empty">{t("sources.none")}</p>}
    </div>
  );
}

export function SourceTable({ sources: all }: { sources: Source[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("nav.agencies")}>
      <table class="roomy sources stacks">
        <thead>
          <tr>
            <th scope="col">{t("sources.agency")}</th>
            <th scope="col">{t("sources.status")}</th>
            <th scope="col">{t("sources.newest")}</th>
            <th scope="col" class="number">{t("sources.lag")}</th>
            <th scope="col" class="number">{t("sources.rows")}</th>
            <th scope="col" class="number">{t("sources.places")}</th>
            <th scope="col" class="number">{t("sources.missing")}</th>
            <th scope="col">{t("sources.doubts")}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <tr key={`${one.agency} ${one.title.en} ${one.deep?.service} ${one.deep?.party}`} data-agency={one.agency}>
              <th scope="row">
                {say(one.title) || one.agency}<small class="quiet">{one.agency}</small>
                {one.deep ? <small class="quiet">{t("sources.deep", one.deep)}</small> : null}
              </th>
              <td><span class={`pill ${one.status}`}>{word("status", one.status)}</span></td>
              <td data-label={t("sources.newest")}>{dayAndClock(one.newest_s)}</td>
              <td class="number" data-label={t("sources.lag")}>{duration(one.lag_s)}</td>
              <td class="number" data-label={t("sources.rows")}>{number(one.rows)}</td>
              <td class="number" data-label={t("sources.places")}>{number(one.places)}</td>
              <td class="number" data-label={t("sources.missing")}>{percent(one.missing, 1)}</td>
              <td class="wide"><Doubts of={one} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is doubted, and when that was checked: "none" stands only where they were checked. */
function Doubts({ of: { doubts, check } }: { of: Source }) {
  const none = doubts.length === 0 && (check === undefined || check.state === "done");
  return (
    <>
      {doubts.length > 0 && <ul class="doubts">{doubts.map((doubt, i) => <li key={i}>{say(doubt)}</li>)}</ul>}
      {none && <span class="quiet">{t("sources.no_doubt")}</span>}
      {check && <small class={check.state === "failed" ? "warn" : "quiet"} data-check={check.state}>{say(check.text)}</small>}
    </>
  );
}
