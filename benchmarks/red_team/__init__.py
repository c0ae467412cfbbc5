"""Each adversary of the threat model attacks a running federation: stopped by name, or measured.

    python -m benchmarks.red_team [simulated] [machines] [running-city] [--only NAME]

*simulated*: sites and coordinator in one process, by the code of `deepcity run`. *machines*: a hub
and three sites, each a process of its own under mutual TLS. *running-city*: `deepcity up` as a
process of its own, attacked over HTTP. Every play tries its attack for true; it ends *stopped*, by
an error that the play names beforehand (another one counts as a failure), or *measured*, under a
limit that the play states beforehand, or it *got through*.
"""
