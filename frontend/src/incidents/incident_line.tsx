/** An incident in one line, which leads to its room. */
import type { Incident } from "../api/types";
import { t } from "../words";
import { dayAndClock } from "../words/format";
import { AgencyPills } from "./room";

export function IncidentLine({ incident }: { incident: Incident }) {
  const { id, title, opened_s, closed_s, who, agencies } = incident;
  return (
    <a class="card bare-card" href={`#/incidents/${id}`}>
      <b>{title}</b>
      <span class="quiet">{t("incidents.opened", { time: dayAndClock(opened_s), who })}</span>
      {agencies.length > 0 && <span><AgencyPills agencies={agencies} /></span>}
      <span class={`pill ${closed_s === null ? "open" : "closed"}`}>
        {closed_s === null ? t("incidents.is_open") : t("incidents.closed", { time: dayAndClock(closed_s) })}
      </span>
    </a>
  );
}
