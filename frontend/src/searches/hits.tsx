/** All sightings in order of time, each confirmed or rejected by a person. */
import { mayAct } from "../state/city";
import { t } from "../words";
import { clockWithSeconds, monthDay, number, percent } from "../words/format";
import type { Act } from "./case_room";
import { placeOf, type Case, type CaseHit } from "./records";

export function Hits({ one, act, busy }: { one: Case; act: Act; busy: boolean }) {
  const hits = one.hits ?? [];
  const order = new Map((one.path ?? []).map((step, i) => [`${step.place} ${step.time_s}`, i + 1]));
  const may = mayAct.value && one.state === "open";
  return (
    <section class="card" aria-label={t("searches.hits")}>
      <h2>{t("searches.hits")}</h2>
      {hits.length === 0 && <p class="quiet">{t("searches.no_hits")}</p>}
      {hits.length > 0 && (
        <table class="stacks" id="hits" aria-label={t("searches.hits")}>
          <thead>
            <tr>
              <th>{t("searches.camera")}</th><th>{t("searches.time")}</th><th>{t("searches.score")}</th>
              <th>{t("searches.probability")}</th><th>{t("searches.verdict")}</th>
            </tr>
          </thead>
          <tbody>
            {hits.map((hit) => {
              const name = `${placeOf(hit)} ${hit.time_s}`;
              return <HitRow hit={hit} step={order.get(name)} key={name} may={may} busy={busy} act={act} />;
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

function HitRow({ hit, step, may, busy, act }: { hit: CaseHit; step: number | undefined; may: boolean; busy: boolean; act: Act }) {
  const { city, camera, time_s } = hit;
  const say = (verdict: "confirmed" | "rejected") => void act("verdicts", { city, camera, time_s, verdict });
  return (
    <tr data-hit={`${placeOf(hit)}@${time_s}`} data-verdict={hit.verdict}>
      <th scope="row">{step !== undefined && <span class="count">{step}</span>} {placeOf(hit)}</th>
      <td data-label={t("searches.time")}>{monthDay(time_s)} {clockWithSeconds(time_s)}</td>
      <td data-label={t("searches.score")}>{number(hit.score, 2)}</td>
      <td data-label={t("searches.probability")}>{percent(hit.probability)}</td>
      <td>
        {hit.verdict !== "none" && <span class={`pill ${hit.verdict}`}>{t(`searches.${hit.verdict}`)}</span>}
        {may && (
          <span class="buttons">
            {hit.verdict !== "confirmed" && <button type="button" data-verdict="confirmed" disabled={busy} onClick={() => say("confirmed")}>{t("searches.confirm")}</button>}
            {hit.verdict !== "rejected" && <button type="button" data-verdict="rejected" disabled={busy} onClick={() => say("rejected")}>{t("searches.reject")}</button>}
          </span>
        )}
      </td>
    </tr>
  );
}
