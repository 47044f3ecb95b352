"""How far estimates of the time left were from the truth, on recorded runs of real work.

`python -m tools.bench.backtest` prints the tables of README: ours, every neighbour, the control.
`python -m tools.bench.backtest.ahead` tells what is gained by looking at the sources beforehand.

An estimator has `start(header)`, `observe(event)` and `estimate(now)`, which returns the seconds
left and an 80 % interval of them, each or both None. It sees a recording's events in order and is
asked at 97 moments. What it may know of the totals is its mode (`recording.MODES`).
"""
