"""Defences of released activations on real records: utility against leakage, one table.

    python -m benchmarks.defences [--seeds 0,1,2] [--sets bikes,dust] [--defences "width 1"]
                                  [--only-tables]

A party of each set trains with deep data of another agency as `deepcity train-vertical` does, anew
with each defence; then the deep data, as they leave, and the forecast made from them are attacked
as `deepcity audit` attacks an agency's encoder.
"""
