/** The Inter-City Application Map: cities by services by levels, and who shares which layer. */
import { signal } from "@preact/signals";
import type { InterCityMap, MapParty } from "../api/types";
import { interCity } from "../state/city";
import { say, t, word } from "../words";
import { bytes, signedPercent } from "../words/format";
import { Failure } from "../shell/failure";
import { bandOf, CELL, LEVELS, levelY, type Band, type Stack } from "./layout";

const asTable = signal(false);

export function InterCityPage() {
  const map = interCity.data.value;
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.intercity")}</h1>
        <button type="button" aria-pressed={asTable.value} onClick={() => (asTable.value = !asTable.value)}>
          {t("map.as_table")}
        </button>
      </div>
      <Failure error={interCity.error.value} />
      {map && map.parties.length === 0 && <p class="empty">{t("intercity.none")}</p>}
      {map && !asTable.value && map.parties.length > 0 && <Key />}
      {map && (asTable.value ? <Table map={map} /> : <div class="bands">{map.services.map((one) => (
        <figure class="card band" key={one.name}>
          <figcaption>{say(one.title)}</figcaption>
          <div class="scroll" tabIndex={0} role="region" aria-label={say(one.title)}>
            <Drawing map={map} band={bandOf(map, one.name)} label={say(one.title)} />
          </div>
        </figure>
      ))}</div>)}
    </div>
  );
}

function Key() {
  return (
    <ul class="legend" aria-hidden="true">
      <li><i class="cell shared" />{t("intercity.shared")}</li>
      <li><i class="cell granted" />{t("intercity.granted")}</li>
      <li><i class="cell own" />{t("intercity.own")}</li>
      <li><span class="badge new">{t("intercity.newcomer")}</span></li>
      <li><span class="badge silent">{t("intercity.silent")}</span></li>
      <li>{t("intercity.read")}</li>
    </ul>
  );
}

function Drawing({ map, band, label }: { map: InterCityMap; band: Band; label: string }) {
  const bottom = levelY(0) + CELL.height;
  return (
    <svg
      class="intercity"
      width={band.width}
      height={band.height}
      viewBox={`0 0 ${band.width} ${band.height}`}
      role="img"
      aria-label={t("intercity.drawing", { service: label, n: band.stacks.length })}
    >
      {LEVELS.map((level, i) => (
        <text class="axis" x={0} y={levelY(i) + 14} key={level}>{word("level", level)}</text>
      ))}
      {band.cities.map((one) => (
        <text class="city" x={one.x + one.width / 2} y={14} text-anchor="middle" key={one.name}>
          {say(map.cities.find((city) => city.name === one.name)?.title)}
        </text>
      ))}
      {band.links.map((one, i) => (
        <line class="link" x1={one.from} x2={one.to} y1={one.y} y2={one.y} key={i} />
      ))}
      {band.stacks.map((one) => <StackOf stack={one} bottom={bottom} key={one.party.party} />)}
    </svg>
  );
}

function StackOf({ stack, bottom }: { stack: Stack; bottom: number }) {
  const { party, x, shared, granted } = stack;
  const middle = x + CELL.width / 2;
  const state = (i: number) => (i < shared ? "shared" : i < granted ? "granted" : "own");
  return (
    <g class={party.silent ? "silent" : ""}>
      <title>{`${party.party}: ${sentence(party)}`}</title>
      <text class="agency" x={middle} y={32} text-anchor="middle">{short(say(party.title))}</text>
      {party.newcomer && <text class="mark new" x={middle} y={48} text-anchor="middle">{t("intercity.newcomer")}</text>}
      {party.silent && <text class="mark silent" x={middle} y={48} text-anchor="middle">{t("intercity.silent")}</text>}
      {LEVELS.map((level, i) => (
        <rect class={`cell ${state(i)}`} x={x} y={levelY(i)} width={CELL.width} height={CELL.height} rx={4} key={level} />
      ))}
      <text class={`gain ${(party.gain ?? 0) < 0 ? "worse" : ""}`} x={middle} y={bottom + 20} text-anchor="middle">
        {signedPercent(party.gain)}
      </text>
      <text class="bytes" x={middle} y={bottom + 37} text-anchor="middle">↑ {bytes(party.sent_bytes)}</text>
      <text class="bytes" x={middle} y={bottom + 52} text-anchor="middle">↓ {bytes(party.received_bytes)}</text>
    </g>
  );
}

const MOST_WIDTH = 13; // letters that fit above a stack; a Korean one takes two

function short(title: string): string {
  let width = 0;
  for (const [at, letter] of [...title].entries()) {
    width += letter > "\u2e80" ? 2 : 1;
    if (width > MOST_WIDTH) return `${[...title].slice(0, at - 1).join("")}…`;
  }
  return title;
}

function sentence(party: MapParty): string {
  return t("intercity.sentence", {
    level: word("level", party.level || "none"),
    granted: word("level", party.granted_to || "none"),
    gain: signedPercent(party.gain),
  });
}

function Table({ map }: { map: InterCityMap }) {
  const cityOf = (name: string) => say(map.cities.find((one) => one.name === name)?.title) || name;
  const serviceOf = (name: string) => say(map.services.find((one) => one.name === name)?.title) || name;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("nav.intercity")}>
      <table class="roomy">
        <thead>
          <tr>
            {(["service", "city", "party", "level", "granted_to"] as const).map((one) => (
              <th scope="col" key={one}>{t(`intercity.${one}`)}</th>
            ))}
            {(["gain", "sent", "received"] as const).map((one) => (
              <th scope="col" class="number" key={one}>{t(`intercity.${one}`)}</th>
            ))}
            <th scope="col">{t("intercity.notes")}</th>
          </tr>
        </thead>
        <tbody>
          {map.parties.map((one) => (
            <tr key={`${one.service} ${one.party}`}>
              <td>{serviceOf(one.service)}</td>
              <td>{cityOf(one.city)}</td>
              <th scope="row">{one.party}</th>
              <td>{word("level", one.level || "none")}</td>
              <td>{word("level", one.granted_to || "none")}</td>
              <td class="number">{signedPercent(one.gain)}</td>
              <td class="number">{bytes(one.sent_bytes)}</td>
              <td class="number">{bytes(one.received_bytes)}</td>
              <td>
                {one.newcomer && <span class="pill">{t("intercity.newcomer")}</span>}
                {one.silent && <span class="pill silent">{t("intercity.silent")}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
