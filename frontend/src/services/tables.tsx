/** Small pieces that several services' pages are made of. */
import type { ComponentChildren } from "preact";
import type { Reason } from "../api/types";
import { percent } from "../words/format";

/** A probability or share, drawn and written. */
export function Share({ value, digits = 0 }: { value: number | null | undefined; digits?: number }) {
  if (value === null || value === undefined) return <>–</>;
  return (
    <span class="share">
      <meter min={0} max={1} value={value} aria-hidden="true" /> {percent(value, digits)}
    </span>
  );
}

interface TableProps {
  label: string;
  /** Heads that end in a number are set to the right; what says itself what it is needs no label. */
  heads: { text: string; number?: boolean; plain?: boolean }[];
  rows: { key: string; cells: ComponentChildren[] }[];
}

/** A table; on a phone each row is a block, whose values have the heads as labels. */
export function Table({ label, heads, rows }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="stacks">
        <thead>
          <tr>{heads.map((one) => <th scope="col" class={one.number ? "number" : ""} key={one.text}>{one.text}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, i) =>
                i === 0 ? <th scope="row" key={i}>{cell}</th> : <td class={heads[i]?.number ? "number" : ""} data-label={heads[i]?.plain ? undefined : heads[i]?.text} key={i}>{cell}</td>,
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Figures in large letters, each with what it is. */
export function Figures({ of }: { of: [string, ComponentChildren, ComponentChildren?][] }) {
  return (
    <dl class="figures">
      {of.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}{more !== undefined && <small class="quiet more">{more}</small>}</dd>
        </div>
      ))}
    </dl>
  );
}

export function reasonOf(reasons: Reason[], code: string): Reason | undefined {
  return reasons.find((one) => one.code === code);
}
