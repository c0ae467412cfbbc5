/** All services of the city: what each asks, and what it last decided. */
import type { Service } from "../api/types";
import { alarms, city, decisionsNow } from "../state/city";
import { say, t, word } from "../words";
import { dayAndClock } from "../words/format";
import { Icon } from "../shell/icon";

export function ServicesPage() {
  const all = city.data.value?.services ?? [];
  return (
    <div class="page">
      <div class="page-bar"><h1>{t("nav.services")}</h1></div>
      {all.length === 0 && <p class="empty">{t("map.no_party")}</p>}
      <ul class="cards wide">
        {all.map((one) => <li key={one.name}><ServiceCard service={one} /></li>)}
      </ul>
    </div>
  );
}

function ServiceCard({ service }: { service: Service }) {
  const newest = decisionsNow.value.find((one) => one.service === service.name);
  const open = (alarms.data.value ?? []).filter((one) => one.service === service.name && one.state !== "closed");
  const first = newest?.actions[0];
  return (
    <article class="card service" data-service={service.name}>
      <header>
        <div class="grow">
          <h2><a href={`#/services/${encodeURIComponent(service.name)}`}>{say(service.title)}</a></h2>
          <p>{say(service.question)}</p>
        </div>
        <span class="pill">{word("task", service.task)}</span>
      </header>
      {newest && (
        <p>
          <span class={`pill ${newest.status}`}>{word("decision_status", newest.status)}</span>{" "}
          {first ? say(first.text) || first.code : t("decisions.no_action")}
          <small class="quiet more">{t("decisions.made", { time: dayAndClock(newest.at_s) })}</small>
        </p>
      )}
      {open.length > 0 && (
        <p class="warn"><Icon name="warning" /> {t("services.alarms", { n: open.length })}</p>
      )}
    </article>
  );
}
