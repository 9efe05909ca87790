"""The job as DuckDB's SQL over the files, KS and Wasserstein exact: with_duckdb.py DATA"""
import math

import duckdb

from common import DATA, KEYS, NUMBERS, tell

db = duckdb.connect()
for name, files in {"ref": "reference.parquet", "cur": "requests/*.parquet", "out": "outcomes/*.parquet"}.items():
    db.execute(f"create view {name} as select * from read_parquet('{DATA}/{files}')")


def jensen_shannon(pairs):
    """Of (reference, current) counts."""
    n, m = (sum(side) for side in zip(*pairs))
    bits = 0.0
    for p, q in ((a / n, b / m) for a, b in pairs):
        middle = (p + q) / 2
        bits += sum(share * math.log2(share / middle) for share in (p, q) if share)
    return math.sqrt(max(bits / 2, 0))


ks = {}
for name in NUMBERS:
    n, m, deviation = db.execute(
        f"select (select count({name}) from ref), (select count({name}) from cur), (select stddev_pop({name}) from ref)"
    ).fetchone()
    ks[name], distance = db.execute(f"""
        with sides as (select {name}::double x, 1 r, 0 c from ref where {name} is not null
                      union all select {name}::double, 0, 1 from cur where {name} is not null),
             cells as (select x, sum(r) r, sum(c) c from sides group by x),
             sums as (select x, sum(r) over o / {n} r, sum(c) over o / {m} c, lead(x) over o following from cells
                      window o as (order by x))
        select max(abs(r - c)), sum(abs(r - c) * (following - x)) from sums""").fetchone()
    edges = db.execute(f"select quantile_cont({name}, [{', '.join(str(i / 10) for i in range(1, 10))}]) from ref").fetchone()[0]
    place = " + ".join(f"({name} > {edge!r})::int" for edge in edges)
    bins = db.execute(f"""
        select sum(r), sum(c) from (
            select {place} place, count(*) r, 0 c from ref where {name} is not null group by 1
            union all select {place}, 0, count(*) from cur where {name} is not null group by 1) group by place""").fetchall()
    scores = distance / deviation, jensen_shannon(bins)
for name in KEYS:
    bins = db.execute(f"""
        select coalesce(a, 0), coalesce(b, 0) from
            (select {name} v, count(*) a from ref where {name} is not null group by 1) full join
            (select {name} v, count(*) b from cur where {name} is not null group by 1) using (v)""").fetchall()
    score = jensen_shannon(bins)
macro, weighted, joined = db.execute("""
    with pairs as (select prediction p, label l, count(*) n from cur join out using (request_id) group by 1, 2),
         sides as (select p class, sum(n) predicted, 0 actual, sum(n) filter (p = l) hits from pairs group by 1
                   union all select l, 0, sum(n), 0 from pairs group by 1),
         f1 as (select 2 * sum(hits) / (sum(predicted) + sum(actual)) f1, sum(actual) actual from sides group by class)
    select avg(f1), sum(f1 * actual) / sum(actual), sum(actual) from f1""").fetchone()
tell(ks=ks, macro=macro, weighted=weighted, joined=joined)
