/** Who has approved a search, and approving it; signatures that were made elsewhere. */
import { mayAct } from "../state/city";
import { t } from "../words";
import type { Act } from "./case_room";
import { cases, type Case } from "./records";

export function Approvals({ one, act, busy }: { one: Case; act: Act; busy: boolean }) {
  const me = cases.data.value?.person;
  const lasts = one.state === "waiting" || one.state === "open";
  const may = mayAct.value && lasts && me !== undefined && !one.approved_by.includes(me);
  const lacks = Math.max(0, one.approvals_needed - one.approved_by.length);
  return (
    <section class="card" id="approvals" aria-label={t("searches.approvals")}>
      <h2>{t("searches.approvals")}</h2>
      <p>{t("searches.opened_by", { who: one.opened_by })}</p>
      <p>{one.approved_by.length > 0 ? t("searches.approved_by", { who: one.approved_by.join(", ") }) : t("searches.approved_by_none")}</p>
      {lasts && lacks > 0 && <p class="warn">{t("searches.lacks", { n: lacks, who: one.opened_by })}</p>}
      {one.warrant_needed && <p class={one.warrants > 0 ? "" : "warn"}>{one.warrants > 0 ? t("searches.has_warrant") : t("searches.lacks_warrant")}</p>}
      {may && me === one.opened_by && <p class="quiet">{t("searches.own")}</p>}
      {may && me !== one.opened_by && (
        <div class="buttons">
          <button type="button" class="primary" id="approve" disabled={busy} onClick={() => void act("approvals", { digest: one.digest })}>
            {t("searches.approve")}
          </button>
          <span class="quiet">{t("searches.approve_how", { who: me ?? "" })}</span>
        </div>
      )}
      <details>
        <summary>{t("searches.elsewhere")}</summary>
        <p class="quiet">{t("searches.elsewhere_how")}</p>
        <div class="buttons">
          <a class="button" id="save-file" download="case.json" href={`data:application/json,${encodeURIComponent(one.file)}`}>{t("searches.save_file")}</a>
          {mayAct.value && lasts && <TakeCopy act={act} />}
        </div>
        {one.keys.length > 0 && <p class="quiet">{t("searches.keys")}</p>}
        <ul class="lines">{one.keys.map((key) => <li key={key}><code>{key}</code></li>)}</ul>
      </details>
    </section>
  );
}

function TakeCopy({ act }: { act: Act }) {
  const take = async (file: File | undefined) => {
    if (file) await act("signatures", { file: await file.text() });
  };
  return (
    <label class="switch">
      {t("searches.take_file")}
      <input type="file" name="signed" accept=".json,application/json" onChange={(event) => void take(event.currentTarget.files?.[0])} />
    </label>
  );
}
