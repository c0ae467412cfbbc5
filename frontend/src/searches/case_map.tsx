/** The likeliest path in order, other sightings, and cameras to watch; × is where it began. */
import { useMemo } from "preact/hooks";
import type { Place } from "../api/types";
import { t } from "../words";
import { clockWithSeconds } from "../words/format";
import { PlaceMap, type Spot, type Way } from "../services/place_map";
import { placeOf, type CameraSpot, type Case } from "./records";

const BEGIN = "";

export function CaseMap({ one }: { one: Case }) {
  const { path = [], watch = [], hits = [], last_seen } = one;
  const known = JSON.stringify([path, watch, hits, last_seen]);
  const { places, ways, spots } = useMemo(() => drawn(one), [known]);
  return (
    <section class="card" aria-label={t("searches.map")}>
      <h2>{t("searches.map")}</h2>
      <PlaceMap label={t("searches.map")} places={places} ways={ways} spots={spots} goal={last_seen ?? null} />
      <p class="quiet">{t("searches.legend")}</p>
      <ol class="lines" id="path">
        {path.map((step, i) => <li key={`${step.place} ${step.time_s}`}><span class="count">{i + 1}</span> {step.place}, {clockWithSeconds(step.time_s)}</li>)}
      </ol>
    </section>
  );
}

function drawn({ path = [], watch = [], hits = [], last_seen }: Case): { places: Place[]; ways: Way[]; spots: Spot[] } {
  const spot = ({ place, lat, lon }: CameraSpot): Place => ({ id: place, lat, lon, capacity: null });
  const seen = hits.filter((one) => one.verdict !== "rejected");
  const places = new Map<string, Place>();
  if (last_seen) places.set(BEGIN, { id: BEGIN, lat: last_seen.lat, lon: last_seen.lon, capacity: null });
  for (const one of [...path, ...watch, ...seen.map((hit) => ({ ...hit, place: placeOf(hit) }))]) places.set(one.place, spot(one));
  const steps = new Map<string, string>(); // one camera may be passed twice
  path.forEach(({ place }, i) => steps.set(place, [steps.get(place), i + 1].filter(Boolean).join(" ")));
  const others = [...new Set(seen.map(placeOf))].filter((place) => !steps.has(place));
  const watched = watch.map((one) => one.place).filter((place) => !steps.has(place) && !others.includes(place));
  return {
    places: [...places.values()],
    ways: path.length > 0 ? [{ kind: "detour", places: [BEGIN, ...path.map((one) => one.place)] }] : [],
    spots: [
      ...watched.map((place): Spot => ({ place, kind: "cause", label: "○" })),
      ...others.map((place): Spot => ({ place, kind: "cause", label: "?" })),
      ...[...steps].map(([place, label]): Spot => ({ place, kind: "act", label })),
    ],
  };
}
