/** Says new alarms to screen readers: critical ones at once, others when there is a pause. */
import { signal } from "@preact/signals";
import { alarms } from "../state/city";
import { say, t, word } from "../words";

const urgent = signal("");
const calm = signal("");
let known: Set<number> | null = null;

export function announceAlarms(): void {
  alarms.data.subscribe((all) => {
    if (!all) return;
    const fresh = known === null ? [] : all.filter((one) => !known?.has(one.id) && one.state === "open");
    known = new Set([...(known ?? []), ...all.map((one) => one.id)]);
    const announced = (severity: string) =>
      fresh
        .filter((one) => one.severity === severity)
        .map((one) => t("announce.alarm", { severity: word("severity", severity), text: say(one.text) }))
        .join(". ");
    if (announced("critical")) urgent.value = announced("critical");
    if (announced("warning")) calm.value = announced("warning");
  });
}

export function Announcer() {
  return (
    <>
      <div class="sr" aria-live="assertive" id="announce-critical">{urgent.value}</div>
      <div class="sr" aria-live="polite" id="announce-warning">{calm.value}</div>
    </>
  );
}
