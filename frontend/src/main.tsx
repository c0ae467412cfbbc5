import { effect } from "@preact/signals";
import { render } from "preact";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/map.css";
import "./styles/pages.css";
import { followRange } from "./map/city_map";
import { announceAlarms } from "./shell/announcer";
import { App } from "./shell/app";
import { keepTicking } from "./shell/banners";
import { route } from "./shell/pages";
import { listenToKeys } from "./shell/shortcuts";
import { alarms, city, decisions, incidents, interCity, now, nowS, sources } from "./state/city";
import { connect, watchSilence } from "./state/live";
import { followMoment } from "./state/moment";
import { wall } from "./state/preferences";

document.documentElement.classList.toggle("on-wall", wall);

for (const first of [city, now, alarms, decisions]) void first.load();

// The stream brings newer times; until it does, these are the newest.
effect(() => {
  nowS.value = Math.max(nowS.peek(), city.data.value?.now_s ?? 0, now.data.value?.now_s ?? 0);
});

effect(() => {
  const { page } = route.value;
  if (page === "agencies") void sources.load();
  if (page === "intercity") void interCity.load();
  if (page === "incidents") void incidents.load();
});

followMoment();
followRange();
announceAlarms();
listenToKeys();
keepTicking();
connect();
watchSilence();

const root = document.getElementById("app");
if (root) render(<App />, root);
