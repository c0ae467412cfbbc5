/** `?wall=1`: for a screen on the wall, large and without controls. */
import { city, openAlarms, party, waitingDecisions } from "../state/city";
import { say, t, word } from "../words";
import { duration } from "../words/format";
import { nowS } from "../state/city";
import { CityMap } from "../map/city_map";
import { Scale } from "../map/overview";
import { PlaceTiles } from "../map/place_list";
import { Banners } from "./banners";
import { Clock } from "./header";
import { Icon } from "./icon";

const MOST = 6;

export function Wall() {
  const placed = party.value?.places.some((one) => one.lat !== null) ?? false;
  const count = (severity: string) => openAlarms.value.filter((one) => one.severity === severity).length;
  return (
    <div class="wall">
      <header class="top">
        <h1>{say(city.data.value?.title)}</h1>
        <Clock />
      </header>
      <Banners />
      <main id="main" tabIndex={-1}>
        <section class="wall-map" aria-label={t("map.label")}>
          <p class="wall-title">{say(party.value?.title)} {party.value && `(${party.value.unit})`}</p>
          <div class="wall-view">
            {placed ? <CityMap /> : <PlaceTiles />}
            {placed && <Scale />}
          </div>
        </section>
        <section class="wall-side" aria-label={t("nav.alarms")}>
          <dl class="figures">
            {(["critical", "warning"] as const).map((one) => (
              <div class={one} key={one}>
                <dt><Icon name={one} /> {word("severity", one)}</dt>
                <dd>{count(one)}</dd>
              </div>
            ))}
            <div>
              <dt><Icon name="decisions" /> {t("rail.waiting")}</dt>
              <dd>{waitingDecisions.value.length}</dd>
            </div>
          </dl>
          <ul class="wall-alarms">
            {openAlarms.value.slice(0, MOST).map((one) => (
              <li class={one.severity} key={one.id}>
                <Icon name={one.severity} />
                <span>{say(one.text)} <small>{duration(nowS.value - one.since_s)}</small></span>
              </li>
            ))}
          </ul>
        </section>
      </main>
    </div>
  );
}
