"""The same person across cities: embeddings that cities learn apart and together.

Real pictures of `../shared/data/persons` (Market-1501's training split): two
cameras a city make three cities, and 200 people whom nobody trains on are searched for, within a
city and across. No picture is written anywhere; embeddings by given networks are kept in the user's
cache folder.

    python -m benchmarks.persons --sets given,frozen-same --seeds 0
"""
