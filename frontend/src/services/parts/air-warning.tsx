/** Air warning: which places, from when, how sure; and its CAP message to read and download. */
import { useEffect, useState } from "preact/hooks";
import type { Decision } from "../../api/types";
import { ApiError, getText } from "../../api/client";
import { t, word } from "../../words";
import { dayAndClock, number, percent } from "../../words/format";
import { language } from "../../words/language";
import { Failure } from "../../shell/failure";
import type { PartProps } from "../registry";
import { Figures, Share, Table } from "../tables";

export default function AirWarning({ party, decision }: PartProps) {
  const { threshold, cutoff, probability } = decision.reasons[0]?.numbers ?? {};
  const level = `${number(threshold)} ${party.unit}`;
  const warned = decision.actions.length > 0;
  return (
    <section class="special">
      <h2>{t("air.title")}</h2>
      <Figures of={[
        [t("air.level"), level],
        [t("air.probability"), percent(probability)],
        [t("air.cutoff"), percent(cutoff)],
        [t("air.warned"), `${number(decision.actions.length)} / ${number(party.places.length)}`],
      ]} />
      {!warned && <p>{t("air.none", { level })}</p>}
      {warned && (
        <div class="beside">
          <div class="card">
            <Table
              label={t("air.title")}
              heads={[
                { text: t("places.place") }, { text: t("air.from") }, { text: t("air.lead"), number: true },
                { text: t("air.then") }, { text: t("air.highest") },
              ]}
              rows={decision.actions.map((one, i) => ({
                key: String(i),
                cells: [
                  one.place, dayAndClock(one.at_s), number(one.numbers["lead-hours"]), <Share value={one.numbers["probability"]} />,
                  <Share value={one.numbers["highest-probability"]} />,
                ],
              }))}
            />
          </div>
          <CapMessage decision={decision} />
        </div>
      )}
    </section>
  );
}

interface Cap {
  xml: string;
  status: string;
  infos: { language: string; headline: string; lines: [string, string][] }[];
}

const TIMES = new Set(["onset", "expires"]);
const NAMES = ["description", "instruction", "urgency", "severity", "certainty", "onset", "expires", "areaDesc"] as const;

/** What a message of CAP 1.2 says in each of its languages; null for what is no such message. */
function read(xml: string): Cap | null {
  const found = new DOMParser().parseFromString(xml, "application/xml");
  const text = (of: Element | Document, name: string) => of.getElementsByTagNameNS("*", name)[0]?.textContent?.trim() ?? "";
  const all = (of: Element, name: string) => [...of.getElementsByTagNameNS("*", name)].map((one) => one.textContent?.trim() ?? "").join(", ");
  const infos = [...found.getElementsByTagNameNS("*", "info")].map((info) => ({
    language: text(info, "language") || "en-US",
    headline: text(info, "headline") || text(info, "event"),
    lines: NAMES.map((name): [string, string] => [name, all(info, name)]).filter(([, value]) => value !== ""),
  }));
  return infos.length === 0 ? null : { xml, status: text(found, "status"), infos };
}

function CapMessage({ decision }: { decision: Decision }) {
  const path = `/api/decisions/${decision.id}/cap`;
  const [cap, setCap] = useState<Cap | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const asked = new AbortController();
    getText(path, asked.signal).then(
      (xml) => [setCap(read(xml)), setError(null)],
      (raised: unknown) => {
        if (raised instanceof ApiError) setError(raised);
        else if (!asked.signal.aborted) throw raised;
      },
    );
    return () => asked.abort();
  }, [path, decision.status]);
  const own = cap?.infos.find((one) => one.language.startsWith(language.value)) ?? cap?.infos[0];
  return (
    <article class="card cap">
      <header>
        <h2 class="grow">{t("cap.title")}</h2>
        {cap && <span class={`pill ${cap.status === "Actual" ? "confirmed" : "waiting"}`}>{t(cap.status === "Actual" ? "cap.actual" : "cap.draft")}</span>}
      </header>
      <Failure error={error} />
      {own && (
        <div lang={own.language}>
          <h3>{own.headline}</h3>
          <dl class="cap-lines">
            {own.lines.map(([name, value]) => <div key={name}><dt>{word("cap_line", name)}</dt><dd>{TIMES.has(name) ? dayAndClock(Date.parse(value) / 1000) : value}</dd></div>)}
          </dl>
        </div>
      )}
      {cap && (
        <>
          <p><a class="button" href={path} download={`cap-${decision.id}.xml`}>{t("cap.download")}</a></p>
          <details>
            <summary>{t("cap.whole")}</summary>
            <pre class="scroll" tabIndex={0}>{cap.xml}</pre>
          </details>
        </>
      )}
    </article>
  );
}
