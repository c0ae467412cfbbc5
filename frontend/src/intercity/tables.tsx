/** The same figures as the drawings, as tables. */
import type { InterCityMap, MapParty, VerticalPart } from "../api/types";
import { say, t, word } from "../words";
import { bytes, dayAndClock, signedPercent } from "../words/format";
import { partners, sentTo } from "./layout";
import { leakageOf, noted, toneOf, tookPart } from "./sentences";

export function PartyTable({ map }: { map: InterCityMap }) {
  const cityOf = (name: string) => say(map.cities.find((one) => one.name === name)?.title) || name;
  const serviceOf = (name: string) => say(map.services.find((one) => one.name === name)?.title) || name;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("nav.intercity")}>
      <table class="roomy" id="map-parties">
        <thead>
          <tr>
            {(["service", "city", "party", "level", "shares_with", "sent_to", "granted_to", "stem"] as const).map((one) => (
              <th scope="col" key={one}>{t(`intercity.${one}`)}</th>
            ))}
            {(["change", "sent", "received"] as const).map((one) => (
              <th scope="col" class="number" key={one}>{t(`intercity.${one}`)}</th>
            ))}
            <th scope="col">{t("intercity.leakage")}</th>
            <th scope="col">{t("intercity.took_part")}</th>
            <th scope="col">{t("intercity.notes")}</th>
          </tr>
        </thead>
        <tbody>
          {map.parties.map((one) => (
            <tr key={`${one.service} ${one.party}`} data-party={one.party}>
              <td>{serviceOf(one.service)}</td>
              <td>{cityOf(one.city)}</td>
              <th scope="row">{say(one.title) || one.party} <small class="quiet">{one.party}</small></th>
              <td>{word("level", one.level || "none")}{one.set_by && <small class="set-by">{say(one.set_by)}</small>}</td>
              <td>{sharesWith(map, one)}</td>
              <td>{word("level", sentTo(one) || "none")}</td>
              <td>{word("level", one.granted_to || "none")}</td>
              <td>{t(`intercity.stem_${one.stem}`)}</td>
              <td class={`number ${toneOf(one.change)}`}>{signedPercent(one.change)}</td>
              <td class="number">{bytes(one.sent_bytes)}</td>
              <td class="number">{bytes(one.received_bytes)}</td>
              <td>{leakageOf(one) || t("intercity.not_measured")}</td>
              <td>{tookPart(one) || "–"}</td>
              <td>
                {one.newcomer && <span class="pill">{t("intercity.newcomer")}</span>}
                {one.silent && <span class="pill silent">{t("intercity.silent")}</span>}
                {noted(one).map((note) => <span class="quiet" key={note}> {note}</span>)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function sharesWith(map: InterCityMap, party: MapParty): string {
  const found = partners(map, party);
  if (found.length === 0) return "–";
  return found
    .map(({ party: other, level }) => {
      const city = say(map.cities.find((one) => one.name === other.city)?.title);
      return t("intercity.down_to", { party: `${city} ${say(other.title)}`, level: word("level", level) });
    })
    .join(", ");
}

export function MeetingTable({ parts }: { parts: VerticalPart[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("vertical.title")}>
      <table class="roomy" id="map-agencies">
        <thead>
          <tr>
            {(["intercity.service", "vertical.to", "vertical.agency", "vertical.layer", "vertical.granted_from"] as const).map((one) => (
              <th scope="col" key={one}>{t(one)}</th>
            ))}
            {(["vertical.numbers", "intercity.sent", "intercity.received", "vertical.change", "vertical.without"] as const).map((one) => (
              <th scope="col" class="number" key={one}>{t(one)}</th>
            ))}
            <th scope="col">{t("intercity.notes")}</th>
          </tr>
        </thead>
        <tbody>
          {parts.flatMap((part) => part.agencies.map((one) => (
            <tr key={`${part.service} ${part.party} ${one.agency}`} data-agency={one.agency}>
              <td>{say(part.title)}</td>
              <td>{say(part.party_title)}</td>
              <th scope="row">{say(one.title)}</th>
              <td>{word("level", one.layer)}</td>
              <td>{word("level", one.granted_from)}</td>
              <td class="number">{t("vertical.numbers_of", { n: one.width, cells: one.cells })}</td>
              <td class="number">{bytes(one.sent_bytes)}</td>
              <td class="number">{bytes(one.received_bytes)}</td>
              <td class={`number ${toneOf(part.change)}`}>{signedPercent(part.change)}</td>
              <td class="number">{signedPercent(one.change_without)}</td>
              <td>
                {one.silent && <span class="pill silent">{t("intercity.silent")}</span>}
                {one.newest_s !== null && <span class="quiet"> {t("vertical.newest", { time: dayAndClock(one.newest_s) })}</span>}
                {one.failed && <span class="quiet"> {t("vertical.failed_because", { reason: one.failed })}</span>}
              </td>
            </tr>
          )))}
        </tbody>
      </table>
    </div>
  );
}
