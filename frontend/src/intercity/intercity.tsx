/** The Inter-City Application Map: cities by services by levels, and who shares which layer. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { InterCityMap } from "../api/types";
import { interCity } from "../state/city";
import { say, t, word } from "../words";
import { Failure } from "../shell/failure";
import { bandOf } from "./layout";
import { Drawing, MeetingDrawing } from "./drawing";
import { MeetingTable, PartyTable } from "./tables";

const asTable = signal(false);

const AGAIN_MS = 30_000;

export function InterCityPage() {
  useEffect(() => {
    // Rounds that a federation's coordinator leads are no events of this node.
    const asking = setInterval(() => interCity.refresh(), AGAIN_MS);
    return () => clearInterval(asking);
  }, []);
  const map = interCity.data.value;
  const some = map !== null && map.parties.length + map.vertical.length > 0;
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.intercity")}</h1>
        <button type="button" aria-pressed={asTable.value} onClick={() => (asTable.value = !asTable.value)}>
          {t("map.as_table")}
        </button>
      </div>
      <Failure error={interCity.error.value} />
      {map && map.unread.length > 0 && <Unread map={map} />}
      {map && !some && <p class="empty">{t("intercity.none")}</p>}
      {some && map.parties.length > 0 && <p class="quiet">{t("intercity.read")}</p>}
      {some && (asTable.value ? <Tables map={map} /> : <Drawings map={map} />)}
    </div>
  );
}

/** Records of others may be half-written, or lie: which are not shown, and why. */
function Unread({ map }: { map: InterCityMap }) {
  return (
    <div class="notice warning" id="unread">
      {t("intercity.unread")}
      <ul>{map.unread.map((one) => <li key={one.file}><code>{one.file}</code> {one.reason}</li>)}</ul>
    </div>
  );
}

function Drawings({ map }: { map: InterCityMap }) {
  return (
    <>
      {map.parties.length > 0 && <Key />}
      <div class="bands">
        {map.services.map((one) => (
          <figure class="card band" key={one.name}>
            <figcaption>{say(one.title)}</figcaption>
            <div class="scroll" tabIndex={0} role="region" aria-label={say(one.title)}>
              <Drawing map={map} band={bandOf(map, one.name)} label={say(one.title)} />
            </div>
          </figure>
        ))}
      </div>
      {map.vertical.length > 0 && <h2>{t("vertical.title")}</h2>}
      {map.vertical.length > 0 && <p class="quiet">{t("vertical.read")}</p>}
      <div class="bands" id="vertical">
        {map.vertical.map((one) => {
          const label = `${say(one.title)}: ${say(one.party_title)}`;
          return (
            <figure class="card band" key={`${one.service} ${one.party}`}>
              <figcaption>{label} <small class="quiet">{word("mode", one.mode)}</small></figcaption>
              <div class="scroll" tabIndex={0} role="region" aria-label={label}>
                <MeetingDrawing part={one} label={label} />
              </div>
            </figure>
          );
        })}
      </div>
    </>
  );
}

function Tables({ map }: { map: InterCityMap }) {
  return (
    <>
      {map.parties.length > 0 && <PartyTable map={map} />}
      {map.vertical.length > 0 && <h2>{t("vertical.title")}</h2>}
      {map.vertical.length > 0 && <MeetingTable parts={map.vertical} />}
    </>
  );
}

function Key() {
  return (
    <ul class="legend" aria-hidden="true">
      <li><i class="cell shared" />{t("intercity.shared")}</li>
      <li><i class="cell given" />{t("intercity.given")}</li>
      <li><i class="cell granted" />{t("intercity.granted")}</li>
      <li><i class="cell own" />{t("intercity.own")}</li>
      <li><span class="badge new">{t("intercity.newcomer")}</span></li>
      <li><span class="badge silent">{t("intercity.silent")}</span></li>
    </ul>
  );
}
