"""dlt loads the JSON lines by key, with the types of the program's schema."""

import sys
from pathlib import Path

import checks
import dlt

folder = sys.argv[1]

# The guide's own lines, as they are written: a month of the sandbox. dlt inspects the module of a resource.
Path("guide.py").write_text(checks.block("python", 2))
sys.path.insert(0, "")
import guide

with guide.pipeline.sql_client() as client:
    number, keys = client.native_connection.execute("SELECT count(*), count(DISTINCT row_key) FROM billing.usage").fetchone()
    checks.that("the guide loads each row of a month once", number == keys > 50, f"{number} rows, {keys} keys")

# The same with the rows of the data set, twice.
rows = Path(f"{folder}/rows.jsonl").read_text()
guide.output = lambda *_: rows
pipeline = dlt.pipeline("data_set", destination=dlt.destinations.duckdb(f"{folder}/dlt.duckdb"), dataset_name="loaded")
for _ in range(2):
    pipeline.run(guide.usage())
with pipeline.sql_client() as client:
    base = client.native_connection
    base.execute("SET TimeZone = 'UTC'")
    number = len(rows.splitlines())
    same = base.execute("SELECT count(*), count(DISTINCT row_key) FROM loaded.usage").fetchone()
    checks.same("a load that is repeated has each row once", same, (number, number))
    base.execute("CREATE TEMP VIEW usage AS SELECT *, strftime(period_start, '%Y-%m') AS period FROM loaded.usage")
    checks.compare_sums(folder, base.execute(checks.SUMS).fetchall())
checks.end()
