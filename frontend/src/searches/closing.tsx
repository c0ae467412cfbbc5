/** Closing a search: asked once, with what is deleted where; and cities that were not reached. */
import { useSignal } from "@preact/signals";
import { mayAct } from "../state/city";
import { t } from "../words";
import type { Act } from "./case_room";
import type { Case } from "./records";

export function Closing({ one, act, busy }: { one: Case; act: Act; busy: boolean }) {
  const asking = useSignal(false);
  const closed = one.state === "closed";
  const close = async () => {
    if (await act("closings", { close: true })) asking.value = false;
  };
  return (
    <section class="card" id="closing" aria-label={t("searches.close")}>
      <h2>{closed ? t("searches.is_closed") : t("searches.close")}</h2>
      {closed && <p>{t("searches.closed_text")}</p>}
      {one.unreached !== undefined && (
        <p id="unreached" class={one.unreached.length > 0 ? "warn" : ""} role="status">
          {one.unreached.length > 0 ? t("searches.unreached", { cities: one.unreached.join(", ") }) : t("searches.all_reached")}
        </p>
      )}
      {!closed && !asking.value && mayAct.value && (
        <button type="button" id="close-case" onClick={() => (asking.value = true)}>{t("searches.close_button")}</button>
      )}
      {!closed && asking.value && (
        <>
          <p>{t("searches.close_sure", { cities: one.cities.join(", ") })}</p>
          <div class="buttons">
            <button type="button" class="primary" id="close-sure" disabled={busy} onClick={() => void close()}>{t("searches.close_yes")}</button>
            <button type="button" onClick={() => (asking.value = false)}>{t("searches.close_no")}</button>
          </div>
        </>
      )}
      {closed && mayAct.value && (
        <button type="button" id="close-again" disabled={busy} onClick={() => void close()}>{t("searches.close_again")}</button>
      )}
    </section>
  );
}
