/** One service: what it asks, its parties, what is special to it, its forecasts, its decisions. */
import { useState } from "preact/hooks";
import type { Decision, Party, Service, Update } from "../api/types";
import { city, keyOf, openAlarms, partyKey, serviceDecisions, serviceDecisionsNow, waitsForFirst } from "../state/city";
import { placeId } from "../state/moment";
import { say, t, word } from "../words";
import { duration, number } from "../words/format";
import { AlarmLine } from "../alarms/alarm_line";
import { Card } from "../decisions/cards";
import { Failure } from "../shell/failure";
import { Actions } from "./actions";
import { Earlier } from "./earlier";
import { nowOf } from "./fetched";
import { PartyForecast } from "./forecast";
import { partOf } from "./registry";
import { Table } from "./tables";

export function ServicePage({ name }: { name: string }) {
  const service = city.data.value?.services.find((one) => one.name === name);
  if (!service) return <NoService name={name} />;
  const parties = city.data.value?.parties.filter((one) => one.service === name) ?? [];
  return (
    <div class="page service-page" data-service={name}>
      <div class="page-bar">
        <h1>{say(service.title)}</h1>
        <span class="pill">{word("task", service.task)}</span>
        <a href="#/services">{t("services.all")}</a>
      </div>
      <section class="card question">
        {say(service.question) && <p class="asked">{say(service.question)}</p>}
        {say(service.decision) && <p class="quiet">{say(service.decision)}</p>}
      </section>
      <Shown service={service} parties={parties} />
    </div>
  );
}

function NoService({ name }: { name: string }) {
  return (
    <div class="page">
      <div class="page-bar"><h1>{t("nav.services")}</h1></div>
      <p class="empty">{t("services.unknown", { name })} <a href="#/services">{t("services.all")}</a></p>
    </div>
  );
}

function Shown({ service, parties }: { service: Service; parties: Party[] }) {
  const [key, setKey] = useState<string | null>(null);
  const party = parties.find((one) => keyOf(one) === key) ?? parties[0];
  if (!party) return null;
  const all = serviceDecisionsNow.value.filter((one) => one.service === service.name);
  const own = all.filter((one) => one.party === party.party);
  const alarms = openAlarms.value.filter((one) => one.service === service.name);
  return (
    <>
      <Failure error={serviceDecisions.error.value} />
      <section>
        <h2>{t("services.parties")}</h2>
        <Parties parties={parties} />
      </section>
      {parties.length > 1 && (
        <label class="choice">
          <span>{t("services.party")}</span>
          <select id="service-party" value={keyOf(party)} onChange={(event) => setKey(event.currentTarget.value)}>
            {parties.map((one) => <option value={keyOf(one)} key={keyOf(one)}>{say(one.title)}</option>)}
          </select>
        </label>
      )}
      {alarms.length > 0 && (
        <section>
          <h2>{t("nav.alarms")}</h2>
          <ul class="lines card">{alarms.slice(0, 5).map((one) => <AlarmLine alarm={one} key={one.id} />)}</ul>
        </section>
      )}
      <Special service={service} party={party} decision={own[0]} />
      <PartyForecast party={party} decision={own[0]} key={keyOf(party)} />
      <Decided own={own} />
    </>
  );
}

/** What the service's own file shows, or else the actions as they are. */
function Special({ service, party, decision }: { service: Service; party: Party; decision: Decision | undefined }) {
  if (!decision) return null;
  const Part = partOf(service.application) ?? Actions;
  return <Part party={party} decision={decision} />;
}

function Decided({ own }: { own: Decision[] }) {
  const [newest, ...earlier] = own;
  return (
    <>
      <section>
        <h2>{t("services.newest")}</h2>
        {newest ? <Card decision={newest} key={newest.id} /> : <p class="quiet">{t("decisions.none")}</p>}
      </section>
      {earlier.length > 0 && <Earlier decisions={earlier} />}
    </>
  );
}

function Parties({ parties }: { parties: Party[] }) {
  const show = (party: Party) => {
    partyKey.value = keyOf(party);
    placeId.value = null;
  };
  return (
    <div class="card">
      <Table
        label={t("services.parties")}
        heads={[
          { text: t("intercity.party") }, { text: t("sources.status"), plain: true }, { text: t("sources.lag"), number: true },
          { text: t("sources.places"), number: true }, { text: t("services.ahead"), number: true }, { text: t("nav.map"), plain: true },
        ]}
        rows={parties.map((one) => {
          const known = nowOf(one);
          return {
            key: keyOf(one),
            cells: [
              <>{say(one.title)} <small class="quiet">{one.party} ({one.unit})</small></>,
              <>{known && <span class={`pill ${known.status}`}>{word("status", known.status)}</span>} {known?.gap && <small class="warn">{say(known.gap.text)}</small>}{known && waitsForFirst(known) && <small class="quiet">{t("map.first_forecast")}</small>}</>,
              duration(known?.lag_s),
              number(one.places.length),
              duration(one.horizon * one.step_s),
              <a href="#/map" onClick={() => show(one)}>{t("alarms.on_map")}</a>,
            ],
          };
        })}
      />
      <h3>{t("services.learned")}</h3>
      <ul class="learned">
        {parties.map((one) => <Learned party={one} update={nowOf(one)?.update} key={keyOf(one)} />)}
      </ul>
    </div>
  );
}

/** What a party's forecaster last learned from new days: when, and its error before and after. */
function Learned({ party, update }: { party: Party; update: Update | null | undefined }) {
  const failed = update?.outcome === "problem";
  return (
    <li data-outcome={update?.outcome}>
      {say(party.title)}{" "}
      {update && <span class={`pill ${failed ? "warning" : ""}`}>{word("update", update.outcome)}</span>}{" "}
      <small class={failed ? "warn" : "quiet"}>{update ? say(update.text) : t("services.not_learned")}</small>
    </li>
  );
}
