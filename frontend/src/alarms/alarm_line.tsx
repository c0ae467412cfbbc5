/** An alarm in one line; choosing it shows its place on the map. */
import type { Alarm } from "../api/types";
import { keyOf, nowS, partyKey } from "../state/city";
import { placeId } from "../state/moment";
import { say, t, word } from "../words";
import { duration } from "../words/format";
import { Icon } from "../shell/icon";

export function showOnMap(alarm: Alarm): void {
  partyKey.value = keyOf(alarm);
  placeId.value = alarm.place || null;
  location.hash = "#/map";
}

/** Why its cause is over: it has ended, or is another alarm's now. */
export function overWords(alarm: Alarm): string {
  return alarm.replaced ? t(`replaced.${alarm.replaced}`) : t("alarms.over");
}

export function AlarmLine({ alarm }: { alarm: Alarm }) {
  return (
    <li class={`line-item ${alarm.severity}`}>
      <button type="button" class="bare" onClick={() => showOnMap(alarm)}>
        <Icon name={alarm.severity} />
        <span>
          <span class="sr">{word("severity", alarm.severity)}: </span>
          {say(alarm.text)}
          <small class="quiet">
            {t("alarms.since", { age: duration(nowS.value - alarm.since_s) })}
            {alarm.state === "acknowledged" && ` · ${word("alarm_state", alarm.state)}`}
            {alarm.assigned_to && ` · ${alarm.assigned_to}`}
            {alarm.over && ` · ${overWords(alarm)}`}
          </small>
        </span>
      </button>
    </li>
  );
}
