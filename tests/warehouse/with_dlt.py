"""dlt loads the JSON lines by key, with the types of the program's schema."""

import json
import sys
from pathlib import Path

import checks
import dlt

folder = sys.argv[1]
NAMES = {"STRING": "text", "NUMERIC": "decimal", "BIGNUMERIC": "decimal", "TIMESTAMP": "timestamp", "BOOLEAN": "bool", "INTEGER": "bigint"}


def column(field):
    kind = {"name": field["name"], "data_type": NAMES[field["type"]], "nullable": field["mode"] == "NULLABLE"}
    return kind | ({"precision": 38, "scale": int(field.get("scale", 9))} if kind["data_type"] == "decimal" else {})


columns = [column(field) for field in json.loads(Path(f"{folder}/schema.bigquery").read_text())]
rows = checks.lines(f"{folder}/rows.jsonl")


@dlt.resource(name="usage_rows", primary_key="row_key", write_disposition="merge", columns=columns)
def usage_rows():
    yield from rows


pipeline = dlt.pipeline("usage", destination=dlt.destinations.duckdb(f"{folder}/dlt.duckdb"), dataset_name="loaded", pipelines_dir=f"{folder}/dlt")
for _ in range(2):
    pipeline.run(usage_rows())
with pipeline.sql_client() as client:
    base = client.native_connection
    base.execute("SET TimeZone = 'UTC'")
    same = base.execute("SELECT count(*), count(DISTINCT row_key) FROM loaded.usage_rows").fetchone()
    checks.same("a load that is repeated has each row once", same, (len(rows), len(rows)))
    base.execute("CREATE VIEW usage AS SELECT *, strftime(period_start, '%Y-%m') AS period FROM loaded.usage_rows")
    checks.compare_sums(folder, base.execute(checks.SUMS).fetchall())
checks.end()
