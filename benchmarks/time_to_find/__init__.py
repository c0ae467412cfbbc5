"""How soon a lost child is found: three simulated cities, 200 cameras, 100,000 passers-by a day.

Children get lost on foot, by bus or by car, half of them over a city border. A report comes in 20
to 60 minutes later; an operator looks at hits in the order of the ranking. Compared: no exchange
between cities, all video pooled, and what the project does (owners match at home and send camera,
time and score), with one network for all and with networks that cities learned apart.

People look like real ones (`../shared/data/persons`, as embeddings; see
`deepcity.simulation.wardrobe`); no picture is written anywhere.

    python -m benchmarks.time_to_find --seeds 0,1,2
    python -m benchmarks.time_to_find.likeness     # are simulated people as confusable as real ones
    python -m benchmarks.time_to_find.campus       # real cameras: misses, hand-over, joined paths
"""
