/** What leaves my house: what never leaves a party, what has left it, and what that gives away. */
import { useEffect } from "preact/hooks";
import type { House, Houses, HouseRow, Text } from "../api/types";
import { house, houseOf } from "../state/city";
import { say, t } from "../words";
import { Failure } from "../shell/failure";

const AGAIN_MS = 30_000;
const READING_MS = 1_000; // a long ledger is read bit by bit

export function HousePage() {
  const found = house.data.value;
  const reading = found?.house?.reading ?? false;
  useEffect(() => {
    const asking = setInterval(() => house.refresh(), reading ? READING_MS : AGAIN_MS);
    return () => clearInterval(asking);
  }, [reading]);
  return (
    <div class="page">
      <div class="page-bar">
        <h1>{t("nav.house")}</h1>
        {found && found.parties.length > 1 && <Picker houses={found} />}
      </div>
      <Failure error={house.error.value} />
      {found && !found.house && <p class="empty">{t("house.none")}</p>}
      {found?.house && <p class="quiet">{t("house.read")}</p>}
      {found?.house && <Shown house={found.house} />}
    </div>
  );
}

function Picker({ houses }: { houses: Houses }) {
  const choose = (party: string) => {
    houseOf.value = party;
    void house.load();
  };
  return (
    <label class="choice">
      <span class="sr">{t("intercity.party")}</span>
      <select id="house-of" value={houses.house?.party} onChange={(event) => choose(event.currentTarget.value)}>
        {houses.parties.map((one) => <option value={one.party} key={one.party}>{say(one.title) || one.party}</option>)}
      </select>
    </label>
  );
}

function Shown({ house: one }: { house: House }) {
  return (
    <article class="card" aria-labelledby="house-name" data-house={one.party}>
      <h2 id="house-name">{say(one.title) || one.party}</h2>
      <p class="never">{say(one.never)}</p>
      {one.more.map((text) => <p key={text.en}>{say(text)}</p>)}
      {one.rows.length > 0 && <Left rows={one.rows} label={say(one.title)} />}
    </article>
  );
}

const TEXTS = ["receiver", "purpose", "grant"] as const;

function Left({ rows, label }: { rows: HouseRow[]; label: string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="roomy stacks left-table">
        <thead>
          <tr>
            <th scope="col">{t("house.what")}</th>
            <th scope="col">{t("house.leakage")}</th>
            <th scope="col" class="number">{t("house.times")}</th>
            <th scope="col" class="number">{t("house.bytes")}</th>
            {TEXTS.map((name) => <th scope="col" key={name}>{t(`house.${name}`)}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((one, i) => (
            <tr key={i}>
              <th scope="row">{say(one.what)}</th>
              <Cell name="leakage" text={one.leakage} />
              <td class="number" data-label={t("house.times")}>{one.times}</td>
              <td class="number" data-label={t("house.bytes")}>{one.bytes}</td>
              {TEXTS.map((name) => <Cell name={name} text={one[name]} key={name} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ name, text }: { name: "leakage" | (typeof TEXTS)[number]; text: Text }) {
  return <td class={`wide ${name}`} data-label={t(`house.${name}`)}>{say(text)}</td>;
}
