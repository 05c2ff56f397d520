"""DuckDB reads the folder in place, and the schema of the program."""

import sys
from pathlib import Path

import checks
import duckdb

folder = sys.argv[1]
usage = f"read_parquet('{folder}/usage/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)"
base = duckdb.connect()
base.execute("SET TimeZone = 'UTC'")

create, _, fill = Path(f"{folder}/schema.duckdb").read_text().partition("-- ")
base.execute(create)
described = lambda source: {name: kind for name, kind, *_ in base.execute(f"DESCRIBE {source}").fetchall()}
checks.same("the types of the files are those of the schema", described(f"SELECT * FROM {usage}"), described("usage"))

fill = ("-- " + fill).replace("-- ", "").replace("usage-data", f"{folder}/usage")
base.execute(fill)
base.execute(fill)
rows = checks.lines(f"{folder}/rows.jsonl")
checks.same("a load that is repeated has each row once", base.execute("SELECT count(*) FROM usage").fetchone()[0], len(rows))
checks.same("each key is there", {str(it[0]) for it in base.execute("SELECT row_key FROM usage").fetchall()}, {it["row_key"] for it in rows})
checks.compare_sums(folder, base.execute(checks.SUMS).fetchall())
starts = base.execute("SELECT DISTINCT strftime(period_start, '%Y-%m-%dT%H:%M:%SZ') FROM usage").fetchall()
checks.same("times are UTC", {it[0] for it in starts}, {it["period_start"] for it in rows})

guide = checks.block("sql").replace("usage-data", f"{folder}/usage")
checks.that("the query of the guide has sums of several vendors", len({it[0] for it in base.execute(guide).fetchall()}) > 1)

query = f"EXPLAIN ANALYZE SELECT count(*) FROM {usage} WHERE vendor = 'acronis' AND period = '2026-10'"
plan = base.execute(query).fetchall()[0][1]
number = len(list(Path(folder).glob("usage/*/*/*.parquet")))
checks.that("a partition is read without the others", number > 30 and "1" in [word.split("/")[0] for word in plan.split() if word.endswith(f"/{number}")], plan)
checks.end()
