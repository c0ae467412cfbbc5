import { effect } from "@preact/signals";
import { render } from "preact";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/map.css";
import "./styles/pages.css";
import "./styles/services.css";
import { followRange } from "./map/city_map";
import { announceAlarms } from "./shell/announcer";
import { App } from "./shell/app";
import { keepTicking } from "./shell/banners";
import { route } from "./shell/pages";
import { listenToKeys } from "./shell/shortcuts";
import {
  alarms, city, decisions, house, incidents, interCity, now, nowS, serviceDecisions, serviceName, sources,
} from "./state/city";
import { connect, runClock, watchSilence } from "./state/live";
import { followMoment } from "./state/moment";
import { wall } from "./state/preferences";
import { timeZone } from "./words/language";

document.documentElement.classList.toggle("on-wall", wall);

for (const first of [city, now, alarms, decisions]) void first.load();

// The stream brings newer times; until it does, these are the newest.
effect(() => {
  nowS.value = Math.max(nowS.peek(), city.data.value?.now_s ?? 0, now.data.value?.now_s ?? 0);
});

effect(() => {
  timeZone.value = city.data.value?.time_zone ?? "UTC";
});

effect(() => {
  const { page, rest } = route.value;
  if (page === "agencies") void sources.load();
  if (page === "intercity") void interCity.load();
  if (page === "house") void house.load();
  if (page === "services" && rest !== null) {
    serviceName.value = rest;
    void serviceDecisions.load();
  }
  if (page === "incidents" || page === "handover") void incidents.load();
});

followMoment();
followRange();
announceAlarms();
listenToKeys();
keepTicking();
runClock();
connect();
watchSilence();

const root = document.getElementById("app");
if (root) render(<App />, root);
