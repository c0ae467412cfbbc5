/** Earlier decisions, who answered them, and what became of them. */
import type { Decision } from "../api/types";
import { say, t, word } from "../words";
import { dayAndClock } from "../words/format";
import { Table } from "./tables";

const NAMED = 2; // actions; the others are counted

export function Earlier({ decisions }: { decisions: Decision[] }) {
  return (
    <section id="earlier">
      <h2>{t("services.earlier")}</h2>
      <div class="card">
        <Table
          label={t("services.earlier")}
          heads={[
            { text: t("detail.time") }, { text: t("services.action") }, { text: t("sources.status") },
            { text: t("decisions.outcome") },
          ]}
          rows={decisions.map((one) => ({
            key: String(one.id),
            cells: [
              <a href={`#/decisions/${one.id}`}>{dayAndClock(one.at_s)}</a>,
              actions(one),
              <>
                <span class={`pill ${one.status}`}>{word("decision_status", one.status)}</span>{" "}
                <small class="quiet">{one.answers.at(-1)?.who}</small>
              </>,
              one.outcome ? say(one.outcome.text) : <span class="quiet">{t("services.not_yet")}</span>,
            ],
          }))}
        />
      </div>
    </section>
  );
}

function actions({ actions: all }: Decision): string {
  if (all.length === 0) return t("decisions.no_action");
  const named = all.slice(0, NAMED).map((one) => say(one.text) || one.code);
  return [...named, ...(all.length > NAMED ? [t("services.more", { n: all.length - NAMED })] : [])].join(", ");
}
