/** Places as tiles or as a table: what the map shows, for places without positions and for all readers. */
import { computed, signal } from "@preact/signals";
import type { Place } from "../api/types";
import { openAlarms, party } from "../state/city";
import { frame, placeId } from "../state/moment";
import { t } from "../words";
import { number, percent } from "../words/format";
import { colourOf, shareOf } from "./colour";
import { range } from "./city_map";

const MOST = 200;

export const search = signal("");

interface Row {
  place: Place;
  value: number | null;
  low: number | null;
  high: number | null;
}

const rows = computed<Row[]>(() => {
  const found = frame.value;
  const wanted = search.value.trim().toLowerCase();
  const shown: Row[] = [];
  (party.value?.places ?? []).forEach((place, i) => {
    if (wanted && !place.id.toLowerCase().includes(wanted)) return;
    const at = (values: (number | null)[] | null | undefined) => values?.[i] ?? null;
    shown.push({ place, value: at(found?.value), low: at(found?.low), high: at(found?.high) });
  });
  return shown;
});

const alarmed = computed(
  () =>
    new Set(
      openAlarms.value
        .filter((one) => one.service === party.value?.service && one.party === party.value.party)
        .map((one) => one.place),
    ),
);

function Search() {
  return (
    <label class="search">
      <span class="sr">{t("places.search")}</span>
      <input
        type="search"
        value={search.value}
        placeholder={t("places.search")}
        onInput={(event) => (search.value = event.currentTarget.value)}
      />
    </label>
  );
}

function More({ count }: { count: number }) {
  return count > MOST ? <p class="quiet">{t("places.more", { shown: MOST, all: number(count) })}</p> : null;
}

export function PlaceTiles() {
  const all = rows.value;
  const scale = range.value;
  const unit = party.value?.unit ?? "";
  return (
    <div class="places">
      {(party.value?.places.length ?? 0) > 24 && <Search />}
      <ul class="tiles" aria-label={t("places.label")}>
        {all.slice(0, MOST).map(({ place, value, low, high }) => {
          const share = value !== null && scale ? shareOf(value, scale) : 0;
          return (
            <li key={place.id}>
              <button
                type="button"
                class={`tile ${alarmed.value.has(place.id) ? "alarmed" : ""}`}
                aria-pressed={placeId.value === place.id}
                onClick={() => (placeId.value = place.id)}
              >
                <span class="tile-name">{place.id}</span>
                <span class="tile-value">
                  {number(value)} <small>{value === null ? t("kind.none") : unit}</small>
                </span>
                {low !== null && high !== null && (
                  <span class="quiet">{t("places.band", { low: number(low), high: number(high) })}</span>
                )}
                <span class="tile-bar" aria-hidden="true">
                  <span
                    style={{ width: `${Math.min(Math.max(share, 0), 1) * 100}%`, background: colourOf(share) }}
                  />
                </span>
                {alarmed.value.has(place.id) && <span class="sr">{t("places.alarmed")}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      <More count={all.length} />
    </div>
  );
}

export function PlaceTable() {
  const all = rows.value;
  const unit = party.value?.unit ?? "";
  const scale = range.value;
  return (
    <div class="places">
      <Search />
      <div class="scroll" tabIndex={0} role="region" aria-label={t("places.label")}>
        <table>
          <caption class="sr">{t("places.label")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("places.place")}</th>
              <th scope="col" class="number">{t("places.value", { unit })}</th>
              <th scope="col" class="number">{t("places.low")}</th>
              <th scope="col" class="number">{t("places.high")}</th>
              <th scope="col">{t("places.alarm")}</th>
            </tr>
          </thead>
          <tbody>
            {all.slice(0, MOST).map(({ place, value, low, high }) => (
              <tr key={place.id} class={placeId.value === place.id ? "chosen" : ""}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => (placeId.value = place.id)}>
                    {place.id}
                  </button>
                </th>
                <td class="number">
                  {value !== null && scale && (
                    <span class="dot" style={{ background: colourOf(shareOf(value, scale)) }} aria-hidden="true" />
                  )}
                  {number(value)}
                </td>
                <td class="number">{number(low)}</td>
                <td class="number">{number(high)}</td>
                <td>{alarmed.value.has(place.id) ? t("places.alarmed") : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More count={all.length} />
    </div>
  );
}

/** How many places are measured or forecast at the shown moment. */
export function coverage(): string {
  const values = frame.value?.value ?? [];
  const known = values.filter((one) => one !== null).length;
  return values.length ? percent(known / values.length) : "–";
}
