/** Traffic: each jam with its ranked causes, and the way around it beside the usual way. */
import type { Action, Reason } from "../../api/types";
import { t, word } from "../../words";
import { number, percent } from "../../words/format";
import { Actions } from "../actions";
import { PlaceMap, type Spot, type Way } from "../place_map";
import type { PartProps } from "../registry";
import { reasonOf, Share, Table } from "../tables";

const KINDS = ["recurring", "weather", "incident-like", "event-like", "unusual", "no-same-hours"];
const WEATHER = ["rain", "snow", "wind", "visibility"] as const;

interface Jam {
  first: Reason;
  causes: Reason[];
  /** What explains it, the greatest share first. */
  why: Reason[];
}

/** The reasons of each jam begin with `jam`. */
function jams(reasons: Reason[]): Jam[] {
  const found: Jam[] = [];
  for (const one of reasons) {
    if (one.code === "jam") found.push({ first: one, causes: [], why: [] });
    const last = found.at(-1);
    if (!last) continue;
    if (one.code === "spreads-from" || one.code === "begins-here") last.causes.push(one);
    if (KINDS.includes(one.code)) last.why.push(one);
  }
  return found;
}

export default function Traffic({ party, decision }: PartProps) {
  const found = jams(decision.reasons);
  const detours = decision.actions.filter((one) => one.code === "detour");
  const none = reasonOf(decision.reasons, "no-jam");
  const everywhere = reasonOf(decision.reasons, "slow-everywhere")?.numbers;
  const unseen = reasonOf(decision.reasons, "weather-hardly-seen")?.numbers;
  if (none) {
    const { limit, lowest } = none.numbers;
    return <p class="card special">{t("traffic.no_jam", { limit: percent(limit), lowest: percent(lowest) })}</p>;
  }
  if (found.length === 0) return <Actions party={party} decision={decision} />;
  const ranked = found.flatMap(({ causes }) => causes);
  const spots = ranked.map((one, i): Spot => ({ place: one.place, kind: "cause", label: String(i + 1) }));
  const jammed = found.map(({ first }) => first.place).filter((id) => !spots.some((one) => one.place === id));
  const ways = detours.flatMap((one): Way[] => [
    { kind: "usual", places: one.usual_route }, { kind: "detour", places: one.route },
  ]);
  return (
    <section class="special beside">
      <div class="card">
        <h2>{t("traffic.causes")}</h2>
        {found.map((one) => <JamCauses jam={one} unit={party.unit} before={ranked.indexOf(one.causes[0] as Reason)} key={one.first.place} />)}
        {everywhere && <p class="notice warning">{t("traffic.everywhere", { n: number(everywhere["places"]), of: number(everywhere["of"]) })}</p>}
        {reasonOf(decision.reasons, "no-weather-records") && <p class="quiet">{t("traffic.no_weather")}</p>}
        {unseen && <p class="quiet">{t("traffic.weather_hardly_seen", { hours: number(unseen["hours"]) })}</p>}
      </div>
      <div class="card">
        <h2>{t("traffic.detour")}</h2>
        <PlaceMap label={t("traffic.map")} places={party.places} outlines={party.outlines} ways={ways} spots={[...spots, ...jammed.map((place): Spot => ({ place, kind: "act", label: "!" }))]} />
        <ul class="legend" aria-hidden="true">
          <li><i class="line way-detour" />{t("traffic.way_detour")}</li>
          <li><i class="line way-usual" />{t("traffic.way_usual")}</li>
          <li><span class="spot cause">1</span>{t("traffic.cause")}</li>
        </ul>
        {detours.length === 0 ? <p class="quiet">{t("traffic.no_detour")}</p> : detours.map((one, i) => <Detour action={one} key={i} />)}
      </div>
    </section>
  );
}

function JamCauses({ jam, unit, before }: { jam: Jam; unit: string; before: number }) {
  const { first, causes, why } = jam;
  const { value, usual, places } = first.numbers;
  const begins = first.numbers["begins-minutes"] ?? 0;
  return (
    <article class="jam">
      <h3>{t("traffic.jam", { place: first.place, n: number(places) })}</h3>
      <p>
        {t(begins < 0 ? "traffic.since" : "traffic.within", { minutes: number(Math.abs(begins)) })}{" "}
        {t("traffic.speeds", { value: `${number(value)} ${unit}`, usual: `${number(usual)} ${unit}` })}
      </p>
      {why.length > 0 && <Why reasons={why} unit={unit} />}
      {causes.length > 0 && (
        <Table
          label={t("traffic.causes")}
          heads={[
            { text: t("traffic.cause") }, { text: t("services.probability") }, { text: t("traffic.lead"), number: true },
            { text: t("traffic.far"), number: true }, { text: t("traffic.wave"), number: true },
          ]}
          rows={causes.map((one, i) => ({
            key: one.place,
            cells: [
              <><span class="spot cause" aria-hidden="true">{before + i + 1}</span> {one.place} <small class="quiet">{word("traffic_cause", one.code)}</small></>,
              <Share value={one.numbers["likelihood"]} />,
              number(one.numbers["lead-minutes"]), kilometres(one.numbers["metres"]), number(one.numbers["wave-kmh"]),
            ],
          }))}
        />
      )}
    </article>
  );
}

/** Ranked causes: what each explains, with the numbers that say so. */
function Why({ reasons, unit }: { reasons: Reason[]; unit: string }) {
  return (
    <Table
      label={t("traffic.why")}
      heads={[{ text: t("traffic.reason") }, { text: t("traffic.explains") }, { text: t("traffic.evidence") }]}
      rows={reasons.map((one) => ({
        key: one.code,
        cells: [
          <span class="pill warning">{word("traffic_kind", one.code)}</span>,
          <Share value={one.numbers["share"]} />,
          <span class="quiet">{evidence(one, unit).join(" ")}</span>,
        ],
      }))}
    />
  );
}

function evidence({ code, numbers }: Reason, unit: string): string[] {
  const { days, drop, abrupt, around, loss } = numbers;
  const given = (one: number | null | undefined): one is number => one !== undefined && one !== null;
  if (code === "weather") {
    const what = WEATHER.filter((name) => given(numbers[name])).map((name) => t(`traffic_weather.${name}`, { value: number(numbers[name]) }));
    const hours = WEATHER.map((name) => numbers[`${name}-hours`]).find(given);
    const seen = given(hours) ? [t("traffic.weather_seen", { hours: number(hours) })] : [];
    return [t("traffic.weather", { what: what.join(", "), loss: percent(loss) }), ...seen];
  }
  const found = [t("traffic.days", { jammed: number(numbers["jammed-days"] ?? 0), days: number(days) })];
  if (given(drop)) found.push(t("traffic.drop", { drop: `${number(drop)} ${unit}` }));
  if (code === "incident-like" || code === "event-like") {
    if (given(abrupt)) found.push(t("traffic.abrupt", { abrupt: percent(abrupt) }));
    if (given(around)) found.push(t("traffic.around", { around: percent(around) }));
    if (numbers["holiday"]) found.push(t("traffic.holiday"));
  }
  return found;
}

function kilometres(metres: number | null | undefined): string {
  return metres === null || metres === undefined ? "–" : number(metres / 1000, 2);
}

function Detour({ action }: { action: Action }) {
  const { minutes, metres, probability } = action.numbers;
  const way = (ids: string[]) => ids.join(" → ");
  return (
    <Table
      label={t("traffic.detour")}
      heads={[
        { text: t("traffic.way") }, { text: t("traffic.minutes"), number: true }, { text: t("traffic.km"), number: true },
        { text: t("traffic.faster") },
      ]}
      rows={[
        { key: "detour", cells: [<>{t("traffic.way_detour")} <small class="quiet">{way(action.route)}</small></>, number(minutes), kilometres(metres), <Share value={probability} />] },
        { key: "usual", cells: [<>{t("traffic.way_usual")} <small class="quiet">{way(action.usual_route)}</small></>, number(action.numbers["usual-minutes"]), kilometres(action.numbers["usual-metres"]), ""] },
      ]}
    />
  );
}
