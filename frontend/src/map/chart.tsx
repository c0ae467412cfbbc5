/** The chart of the place that is chosen on the map. */
import { party } from "../state/city";
import { chosenS, series, seriesThen, shownS, span } from "../state/moment";
import { timeZone } from "../words/language";
import { SeriesChart, type Mark } from "../chart/series_chart";

export function Chart() {
  const marks: Mark[] = [{ time: span.value.now, chosen: false }];
  if (chosenS.value !== null) marks.push({ time: shownS.value, chosen: true });
  return (
    <SeriesChart
      series={series.value} then={seriesThen.value} unit={party.value?.unit ?? ""}
      zone={timeZone.value} marks={marks}
    />
  );
}
