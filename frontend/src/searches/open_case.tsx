/** The report of a person: who, for what, where and when last seen, which cities are asked. */
import { useSignal, type Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { say, t, word } from "../words";
import { localInput } from "../words/format";
import { useAction } from "../shell/action";
import { Failure } from "../shell/failure";
import { PlaceMap, type Position } from "../services/place_map";
import { cases, type Case, type Cases } from "./records";

interface Embeddings {
  network: string;
  embeddings: number[][];
}

export function OpenCase({ found }: { found: Cases }) {
  const service = useSignal(found.services[0]?.name ?? "");
  const purpose = useSignal("");
  const cities = useSignal<string[]>(found.cities.slice(0, 1));
  const at = useSignal<Position | null>(null);
  const time = useSignal(localInput(found.now_s));
  const hours = useSignal("");
  const least = useSignal("");
  const most = useSignal("");
  const upper = useSignal<string[]>([]);
  const lower = useSignal<string[]>([]);
  const pictures = useSignal<Embeddings | null>(null);
  const { act, busy, error } = useAction<Case>((answer) => {
    cases.refresh();
    location.hash = `#/searches/${answer.id}`;
  });
  const chosen = found.services.find((one) => one.name === service.value);
  const open = (event: Event) => {
    event.preventDefault();
    void act("/api/cases", {
      service: service.value,
      purpose: purpose.value.trim(),
      cities: cities.value,
      lat: at.value?.lat ?? NaN, // NaN becomes null, which the node refuses by name
      lon: at.value?.lon ?? NaN,
      last_seen_at: time.value,
      hours: hours.value === "" ? null : Number(hours.value),
      height_m: least.value === "" && most.value === "" ? null : [Number(least.value || 0.4), Number(most.value || 2.5)],
      upper: upper.value,
      lower: lower.value,
      pictures: pictures.value,
    });
  };
  return (
    <form class="card ask" id="open-case" onSubmit={open}>
      <h2 class="whole">{t("searches.open")}</h2>
      <label>
        {t("searches.service")}
        <select name="service" value={service.value} onChange={(event) => (service.value = event.currentTarget.value)}>
          {found.services.map((one) => <option value={one.name} key={one.name}>{say(one.title)}</option>)}
        </select>
      </label>
      <label>
        {t("searches.purpose")}
        <input name="purpose" required maxLength={200} list="purposes" value={purpose.value} onInput={(event) => (purpose.value = event.currentTarget.value)} />
        <datalist id="purposes">{found.purposes.map((one) => <option value={one} key={one} />)}</datalist>
      </label>
      {chosen && (
        <p class="quiet whole">
          {t("searches.terms", { n: chosen.approvals, hours: chosen.most_hours, back: chosen.back_hours })}
          {chosen.warrant && ` ${t("searches.needs_warrant")}`}
        </p>
      )}
      <Choices name="cities" title={t("searches.cities")} all={found.cities} chosen={cities} />
      <WhoIsIt least={least} most={most} upper={upper} lower={lower} colours={found.colours} pictures={pictures} />
      <LastPlace found={found} at={at} />
      <label>
        {t("searches.last_time")}
        <input type="datetime-local" name="time" required value={time.value} onInput={(event) => (time.value = event.currentTarget.value)} />
      </label>
      <label>
        {t("searches.hours")}
        <input type="number" name="hours" min="0.5" step="0.5" max={chosen?.most_hours} placeholder={String(chosen?.most_hours ?? "")} value={hours.value} onInput={(event) => (hours.value = event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary" disabled={busy}>{t("searches.open_button")}</button>
      <Failure error={error} />
    </form>
  );
}

interface Who {
  least: Signal<string>;
  most: Signal<string>;
  upper: Signal<string[]>;
  lower: Signal<string[]>;
  colours: string[];
  pictures: Signal<Embeddings | null>;
}

function WhoIsIt({ least, most, upper, lower, colours, pictures }: Who) {
  return (
    <>
      <label>
        {t("searches.least_height")}
        <input type="number" name="least" min="0.4" max="2.5" step="0.05" value={least.value} onInput={(event) => (least.value = event.currentTarget.value)} />
      </label>
      <label>
        {t("searches.most_height")}
        <input type="number" name="most" min="0.4" max="2.5" step="0.05" value={most.value} onInput={(event) => (most.value = event.currentTarget.value)} />
      </label>
      <p class="quiet whole">{t("searches.height_how")}</p>
      <Choices name="upper" title={t("searches.upper")} all={colours} chosen={upper} group="colour" />
      <Choices name="lower" title={t("searches.lower")} all={colours} chosen={lower} group="colour" />
      <Pictures pictures={pictures} />
    </>
  );
}

function Choices({ name, title, all, chosen, group }: { name: string; title: string; all: string[]; chosen: Signal<string[]>; group?: string }) {
  const change = (one: string, on: boolean) => (chosen.value = on ? [...chosen.value, one] : chosen.value.filter((other) => other !== one));
  return (
    <fieldset class="choices" name={name}>
      <legend>{title}</legend>
      {all.map((one) => (
        <label class="switch" key={one}>
          <input type="checkbox" value={one} checked={chosen.value.includes(one)} onChange={(event) => change(one, event.currentTarget.checked)} />
          {group ? word(group, one) : one}
        </label>
      ))}
    </fieldset>
  );
}

/** Pictures become embeddings on a machine with cameras; only these come here, and none is shown. */
function Pictures({ pictures }: { pictures: Signal<Embeddings | null> }) {
  const unread = useSignal(false);
  const read = async (file: File | undefined) => {
    pictures.value = null;
    unread.value = false;
    if (!file) return;
    try {
      const { network, embeddings } = JSON.parse(await file.text()) as Embeddings;
      if (typeof network !== "string" || !Array.isArray(embeddings)) throw new SyntaxError();
      pictures.value = { network, embeddings };
    } catch {
      unread.value = true;
    }
  };
  return (
    <label class="whole">
      {t("searches.pictures")}
      <input type="file" name="pictures" accept=".json,application/json" onChange={(event) => void read(event.currentTarget.files?.[0])} />
      <small>{t("searches.pictures_how")}</small>
      {pictures.value && <small>{t("searches.pictures_read", { n: pictures.value.embeddings.length, network: pictures.value.network })}</small>}
      {unread.value && <small class="warn" role="alert">{t("searches.pictures_unread")}</small>}
    </label>
  );
}

function LastPlace({ found, at }: { found: Cases; at: Signal<Position | null> }) {
  const known = JSON.stringify(found.cameras);
  const places = useMemo(() => found.cameras, [known]); // a new list of the same cameras moves no map
  const pick = useMemo(() => (to: Position) => (at.value = { lat: rounded(to.lat), lon: rounded(to.lon) }), []);
  const set = (axis: "lat" | "lon", text: string) => (at.value = { ...(at.value ?? { lat: NaN, lon: NaN }), [axis]: text === "" ? NaN : Number(text) });
  return (
    <div class="whole" id="last-place">
      <h3>{t("searches.last_place")}</h3>
      {places.length > 0 && <PlaceMap label={t("searches.last_place")} places={places} spots={[]} goal={inRange(at.value) ? at.value : null} pick={pick} />}
      <div class="ask">
        {(["lat", "lon"] as const).map((axis) => (
          <label key={axis}>
            {t(`searches.${axis}`)}
            <input type="number" name={axis} required step="any" min={axis === "lat" ? -90 : -180} max={axis === "lat" ? 90 : 180} value={shown(at.value?.[axis])} onInput={(event) => set(axis, event.currentTarget.value)} />
          </label>
        ))}
      </div>
    </div>
  );
}

const rounded = (degrees: number) => Math.round(degrees * 1e5) / 1e5;
const shown = (degrees: number | undefined) => (degrees === undefined || Number.isNaN(degrees) ? "" : String(degrees));

function inRange(at: Position | null): at is Position {
  return at !== null && Math.abs(at.lat) <= 90 && Math.abs(at.lon) <= 180;
}
