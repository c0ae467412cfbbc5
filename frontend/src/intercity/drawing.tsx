/** The map's drawings: stacks of layers, and lines between those who share one. */
import type { InterCityMap, MapParty, VerticalPart } from "../api/types";
import { say, t, word } from "../words";
import { bytes, signedPercent } from "../words/format";
import { noted, tookPart, toneOf } from "./sentences";
import {
  BOTTOM, CELL, LEVELS, levelY, meetingOf, sentTo, STEM, type Band, type CutStack, type Link, type Stack,
} from "./layout";

interface DrawingProps {
  map: InterCityMap;
  band: Band;
  label: string;
}

export function Drawing({ map, band, label }: DrawingProps) {
  return (
    <Frame width={band.width} height={band.height} label={t("intercity.drawing", { service: label, n: band.stacks.length })}>
      {band.cities.map((one) => (
        <text class="city" x={one.x + one.width / 2} y={14} text-anchor="middle" key={one.name}>
          {say(map.cities.find((city) => city.name === one.name)?.title)}
        </text>
      ))}
      <Links links={band.links} />
      {band.stacks.map((one) => <StackOf stack={one} key={one.party.party} />)}
    </Frame>
  );
}

interface FrameProps {
  width: number;
  height: number;
  label: string;
  children: preact.ComponentChildren;
}

/** The rows of layers, named at the left; the stem is the lowest. */
function Frame({ width, height, label, children }: FrameProps) {
  return (
    <svg class="intercity" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {LEVELS.map((level, i) => (
        <text class="axis" x={0} y={levelY(i) + 14} key={level}>{word("level", level)}</text>
      ))}
      <text class="axis" x={0} y={levelY(STEM) + 14}>{t("level.stem")}</text>
      {children}
    </svg>
  );
}

function Links({ links }: { links: Link[] }) {
  return <>{links.map((one, i) => <polyline class={`link ${one.used ? "" : "unused"}`} points={one.points} key={i} />)}</>;
}

function Cell({ x, row, state }: { x: number; row: number; state: string }) {
  return <rect class={`cell ${state}`} x={x} y={levelY(row)} width={CELL.width} height={CELL.height} rx={4} />;
}

function StackOf({ stack }: { stack: Stack }) {
  const { party, x, cells } = stack;
  const middle = x + CELL.width / 2;
  const below = (n: number) => BOTTOM + 19 + 15 * n;
  return (
    <g class={party.silent ? "silent" : ""} data-party={party.party}>
      <title>{`${say(party.title) || party.party}: ${sentence(party)}`}</title>
      <Title text={say(party.title)} x={middle} />
      {party.newcomer && <text class="mark new" x={middle} y={74} text-anchor="middle">{t("intercity.newcomer")}</text>}
      {party.silent && <text class="mark silent" x={middle} y={party.newcomer ? 62 : 74} text-anchor="middle">{t("intercity.silent")}</text>}
      {cells.map((state, i) => <Cell x={x} row={i} state={state} key={i} />)}
      <Cell x={x} row={STEM} state={party.stem === "shared" ? "given" : "own"} />
      <text class="stem" x={middle} y={levelY(STEM) + 14} text-anchor="middle">{t(`intercity.stem_${party.stem}`)}</text>
      <text class={`gain ${toneOf(party.change)}`} x={middle} y={below(0)} text-anchor="middle">
        {signedPercent(party.change)}
      </text>
      <text class="bytes" x={middle} y={below(1)} text-anchor="middle">↑ {bytes(party.sent_bytes)}</text>
      <text class="bytes" x={middle} y={below(2)} text-anchor="middle">↓ {bytes(party.received_bytes)}</text>
      {party.rounds && (
        <text class={`bytes ${party.rounds.left_out}`} x={middle} y={below(3)} text-anchor="middle">
          {t("intercity.round_short", { last: party.rounds.last, done: party.rounds.done })}
        </text>
      )}
    </g>
  );
}

export function MeetingDrawing({ part, label }: { part: VerticalPart; label: string }) {
  const meeting = meetingOf(part);
  return (
    <Frame width={meeting.width} height={meeting.height} label={t("vertical.drawing", { service: label, n: part.agencies.length })}>
      <Links links={meeting.links} />
      {meeting.stacks.map((one) => <CutStackOf part={part} stack={one} key={one.x} />)}
    </Frame>
  );
}

function CutStackOf({ part, stack }: { part: VerticalPart; stack: CutStack }) {
  const { agency, x, from, to, cut } = stack;
  const middle = x + CELL.width / 2;
  const below = (n: number) => BOTTOM + 19 + 15 * n;
  const rows = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const fuses = (row: number) => agency === null && row > LEVELS.indexOf(part.level);
  const change = agency === null ? part.change : agency.change_without;
  return (
    <g class={agency?.silent ? "silent" : ""} data-agency={agency?.agency ?? ""}>
      <Title text={agency === null ? say(part.party_title) : say(agency.title)} x={middle} />
      {agency === null && <text class="mark new" x={middle} y={74} text-anchor="middle">{t("vertical.application")}</text>}
      {agency?.silent && <text class="mark silent" x={middle} y={74} text-anchor="middle">{t("intercity.silent")}</text>}
      {agency?.failed && !agency.silent && <text class="mark silent" x={middle} y={74} text-anchor="middle">{t("vertical.failed")}</text>}
      {rows.map((row) => <Cell x={x} row={row} state={row === cut || fuses(row) ? "shared" : "own"} key={row} />)}
      {from === STEM && <text class="stem" x={middle} y={levelY(STEM) + 14} text-anchor="middle">{t("intercity.stem_private")}</text>}
      {cut !== null && cut > STEM && (
        <text class="cut" x={middle} y={levelY(cut) + 14} text-anchor="middle">{t("vertical.width", { n: agency?.width ?? 0 })}</text>
      )}
      <text class={`${agency === null ? "gain" : "bytes"} ${toneOf(change)}`} x={middle} y={below(0)} text-anchor="middle">
        {agency === null ? signedPercent(change) : t("vertical.without_short", { change: signedPercent(change) })}
      </text>
      {agency && <text class="bytes" x={middle} y={below(1)} text-anchor="middle">↑ {bytes(agency.sent_bytes)}</text>}
      {agency && <text class="bytes" x={middle} y={below(2)} text-anchor="middle">↓ {bytes(agency.received_bytes)}</text>}
    </g>
  );
}

/** A title in at most three lines. */
function Title({ text, x }: { text: string; x: number }) {
  return (
    <>
      {lines(text).map((line, i) => (
        <text class="agency" x={x} y={31 + 13 * i} text-anchor="middle" key={i}>{line}</text>
      ))}
    </>
  );
}

const MOST_WIDTH = 14; // letters that fit above a stack; a Korean one takes two

const widthOf = (text: string) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 2 : 1), 0);

/** A title in at most three lines; whoever points at it reads all of it. */
function lines(title: string): string[] {
  const found: string[] = [];
  for (const piece of title.split(" ")) {
    const last = found.at(-1);
    if (last !== undefined && widthOf(`${last} ${piece}`) <= MOST_WIDTH) found[found.length - 1] = `${last} ${piece}`;
    else found.push(piece);
  }
  return [...found.slice(0, 2), ...(found.length > 2 ? [found.slice(2).join(" ")] : [])].map(short);
}

function short(text: string): string {
  let width = 0;
  for (const [at, letter] of [...text].entries()) {
    width += widthOf(letter);
    if (width > MOST_WIDTH) return `${[...text].slice(0, at - 1).join("")}…`;
  }
  return text;
}

function sentence(party: MapParty): string {
  const shares = t("intercity.sentence", {
    level: word("level", party.level || "none"),
    sent: word("level", sentTo(party) || "none"),
    granted: word("level", party.granted_to || "none"),
    change: signedPercent(party.change),
  });
  return [shares, tookPart(party), ...noted(party)].filter(Boolean).join("; ");
}
