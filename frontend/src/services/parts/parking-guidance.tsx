/** Parking guidance: where drivers are sent, and how many spaces are how sure. */
import { useCallback, useState } from "preact/hooks";
import type { Decision, Frame, Party } from "../../api/types";
import { keyOf } from "../../state/city";
import { t } from "../../words";
import { clock, dayAndClock, number, percent } from "../../words/format";
import { Failure } from "../../shell/failure";
import { nowOf, useFrame } from "../fetched";
import { PlaceMap, type Position, type Spot } from "../place_map";
import { PlanForm, usePlan } from "../plan";
import type { PartProps } from "../registry";
import { Figures, reasonOf, Share, Table } from "../tables";

export default function ParkingGuidance({ party, decision }: PartProps) {
  return (
    <>
      <Guidance party={party} decision={decision} key={keyOf(party)} />
      <Lots party={party} />
    </>
  );
}

const DIGITS = 5; // of a degree: a metre

/** Where drivers are sent: for the requests of the newest decision, or for one made here. */
function Guidance({ party, decision }: PartProps) {
  const asking = usePlan(party);
  const [goal, setGoal] = useState({ lat: "", lon: "" }); // as written: a number would lose "51.0"
  const [step, setStep] = useState(0);
  const [cars, setCars] = useState("1");
  const pick = useCallback(({ lat, lon }: Position) => setGoal({ lat: lat.toFixed(DIGITS), lon: lon.toFixed(DIGITS) }), []);
  const { basis, plan } = asking;
  const shown = plan ?? decision;
  const sent = new Map<string, number>();
  for (const one of shown.actions) sent.set(one.place ?? "", (sent.get(one.place ?? "") ?? 0) + (one.numbers["count"] ?? 0));
  const spots = [...sent].map(([place, count]): Spot => ({ place, kind: "act", label: number(count) }));
  const begins = (basis?.valid_until_s ?? 0) - party.step_s;
  const at = goal.lat && goal.lon ? { lat: Number(goal.lat), lon: Number(goal.lon) } : null;
  const degrees = (key: "lat" | "lon", most: number) => (
    <label>
      <span>{t(`plan.${key}`)}</span>
      <input
        name={key} type="number" step="any" min={-most} max={most} required value={goal[key]}
        onInput={({ currentTarget: { value } }) => setGoal((before) => ({ ...before, [key]: value }))}
      />
    </label>
  );
  return (
    <>
      <section class="special">
        <h2>{t("parking.sent")}</h2>
        <PlanForm asking={asking} how={t("parking.how")} what={() => ({ request: [goal.lat, goal.lon, step, cars].join(",") })}>
          {degrees("lat", 90)}
          {degrees("lon", 180)}
          <label>
            <span>{t("parking.arrival")}</span>
            <select name="step" value={step} onChange={(event) => setStep(Number(event.currentTarget.value))}>
              {Array.from({ length: basis?.steps ?? 1 }, (_, i) => (
                <option value={i} key={i}>{basis ? dayAndClock(begins + i * party.step_s) : "–"}</option>
              ))}
            </select>
          </label>
          <label>
            <span>{t("parking.cars")}</span>
            <input name="cars" type="number" min={1} max={1000} required value={cars} onInput={(event) => setCars(event.currentTarget.value)} />
          </label>
        </PlanForm>
        <Planned decision={shown} />
      </section>
      <section class={`special ${shown.actions.length > 0 ? "beside" : ""}`}>
        {shown.actions.length > 0 && <Sent decision={shown} />}
        <div class="card">
          <PlaceMap label={t("parking.map")} places={party.places} outlines={party.outlines} spots={spots} goal={inRange(at) ? at : null} pick={pick} />
        </div>
      </section>
    </>
  );
}

function inRange(at: Position | null): boolean {
  return at !== null && Math.abs(at.lat) <= 90 && Math.abs(at.lon) <= 180;
}

type Made = Pick<Decision, "actions" | "reasons" | "certainty">;

function Planned({ decision }: { decision: Made }) {
  const planned = reasonOf(decision.reasons, "planned")?.numbers;
  const without = reasonOf(decision.reasons, "no-space")?.numbers["count"];
  if (!planned) return <p class="quiet">{t("parking.nobody")}</p>;
  return (
    <Figures of={[
      [t("parking.asked"), number(planned["asked"])],
      [t("parking.placed"), number(planned["sent"])],
      [t("parking.surely"), percent(decision.certainty)],
      [t("parking.without"), number(without ?? 0)],
    ]} />
  );
}

function Sent({ decision }: { decision: Made }) {
  return (
    <div class="card">
      <Table
        label={t("parking.sent")}
        heads={[
          { text: t("parking.lot") }, { text: t("services.when") }, { text: t("parking.cars"), number: true },
          { text: t("parking.space") }, { text: t("parking.walk"), number: true },
        ]}
        rows={decision.actions.map((one, i) => ({
          key: String(i),
          cells: [
            one.place, dayAndClock(one.at_s), number(one.numbers["count"]), <Share value={one.numbers["probability"]} />,
            number(one.numbers["walk-m"]),
          ],
        }))}
      />
    </div>
  );
}

const SHOWN = 40;

/** Every car park now and at the end of the forecast. */
function Lots({ party }: { party: Party }) {
  const known = nowOf(party);
  const newest = known?.newest_s ? known.newest_s - party.step_s : null;
  const last = known?.origin_s ? known.origin_s + (party.horizon - 1) * party.step_s : null;
  const { answer: first, error } = useFrame(party, newest);
  const { answer: later } = useFrame(party, last);
  const rows = party.places.slice(0, SHOWN).map((place, i) => ({
    key: place.id,
    cells: [place.id, number(place.capacity), number(first?.value[i]), number(later?.value[i]), band(later, i)],
  }));
  return (
    <section class="special">
      <h2>{t("parking.lots")}</h2>
      <Failure error={error} />
      <div class="card">
        <Table
          label={t("parking.lots")}
          heads={[
            { text: t("parking.lot") }, { text: t("parking.capacity"), number: true }, { text: t("parking.now", { unit: party.unit }), number: true },
            { text: t("parking.at", { time: clock(last) }), number: true }, { text: t("chart.band"), number: true },
          ]}
          rows={rows}
        />
        {party.places.length > SHOWN && <p class="quiet">{t("places.more", { shown: SHOWN, all: number(party.places.length) })}</p>}
      </div>
    </section>
  );
}

function band(frame: Frame | null, i: number): string {
  const [low, high] = [frame?.low?.[i], frame?.high?.[i]];
  if (low === null || low === undefined || high === null || high === undefined) return "–";
  return t("places.band", { low: number(low), high: number(high) });
}
