/** Incidents: the list, and opening one. */
import { useSignal } from "@preact/signals";
import type { Incident } from "../api/types";
import { city, incidents, mayAct } from "../state/city";
import { say, t } from "../words";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { IncidentLine } from "./incident_line";

export function IncidentsPage() {
  const all = [...(incidents.data.value ?? [])].sort(
    (a, b) => Number(a.closed_s !== null) - Number(b.closed_s !== null) || b.opened_s - a.opened_s,
  );
  return (
    <div class="page">
      <div class="page-bar"><h1>{t("nav.incidents")}</h1></div>
      <Failure error={incidents.error.value} />
      {mayAct.value && <OpenIncident />}
      {all.length === 0 && <p class="empty">{t("incidents.none")}</p>}
      <ul class="cards">
        {all.map((one) => (
          <li key={one.id}>
            <IncidentLine incident={one} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function OpenIncident() {
  const title = useSignal("");
  const about = useSignal("");
  const { act, busy, error } = useAction<Incident>((answer) => {
    incidents.refresh();
    location.hash = `#/incidents/${answer.id}`;
  });
  const parties = city.data.value?.parties ?? [];
  const open = (event: Event) => {
    event.preventDefault();
    const chosen = parties.find((one) => `${one.service} ${one.party}` === about.value);
    const { service, party } = chosen ?? { service: "", party: "" };
    if (title.value.trim()) void act("/api/incidents", { title: title.value.trim(), service, party });
  };
  return (
    <form class="card ask" onSubmit={open}>
      <label class="grow">
        {t("incidents.title")}
        <input name="title" required maxLength={200} value={title.value} onInput={(event) => (title.value = event.currentTarget.value)} />
      </label>
      <label>
        {t("incidents.about")}
        <select value={about.value} onChange={(event) => (about.value = event.currentTarget.value)}>
          <option value="">{t("incidents.about_none")}</option>
          {parties.map((one) => (
            <option value={`${one.service} ${one.party}`} key={`${one.service} ${one.party}`}>{say(one.title)}</option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={busy}>{t("incidents.open")}</button>
      <Failure error={error} />
    </form>
  );
}
