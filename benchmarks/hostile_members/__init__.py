"""What one hostile member, or a pair, can do to members and newcomers of a federation.

    python -m benchmarks.hostile_members [--quick | --turncoats] [--seeds 0,1]

Small synthetic towns of one law, with noise of their own. Some train together, one or two of them
attack in every round, and two newcomers (one day, 14 days) start from what came of it. Errors are
mean absolute errors of the test days, as shares of learning alone on the same rows.
"""
