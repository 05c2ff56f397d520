"""Spark reads the folder in place, in local mode."""

import sys
from pathlib import Path

import checks
from pyspark.sql import SparkSession

folder = sys.argv[1]
settings = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    # The plan that ran has the metrics then.
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

ddl = Path(f"{folder}/schema.spark").read_text()
types = lambda frame: {field.name: field.dataType.simpleString() for field in frame.schema.fields}
inferred, usage = spark.read.parquet(f"{folder}/usage"), spark.read.schema(ddl).parquet(f"{folder}/usage")
in_files = {name: kind for name, kind in types(inferred).items() if name not in ("vendor", "period")}
checks.same("the types of the files are those of the schema", in_files, {name: kind for name, kind in types(usage).items() if name in in_files})
checks.same("the columns are those of the schema", set(types(inferred)), set(types(usage)))

rows = checks.lines(f"{folder}/rows.jsonl")
checks.same("each key is there once", sorted(it[0] for it in usage.select("row_key").collect()), sorted(it["row_key"] for it in rows))
usage.createOrReplaceTempView("usage")
checks.compare_sums(folder, [tuple(it) for it in spark.sql(checks.SUMS).collect()])

one = usage.where("vendor = 'acronis' and period = '2026-10'")
wanted = sum(it["vendor"] == "acronis" and it["period_start"].startswith("2026-10") for it in rows)
checks.same("a partition has its rows", len(one.collect()), wanted)
plan = one._jdf.queryExecution().executedPlan()
plan.executeCollect()
read = plan.collectLeaves().head().metrics().apply("numFiles").value()
number = len(list(Path(folder).glob("usage/*/*/*.parquet")))
checks.same("a partition is read without the others", (read, number > 30), (1, True))

# The guide's own lines, with the paths of this data set: Spark ignores a changed working directory of Python.
guide = checks.block("python").replace("usage.ddl", f"{folder}/schema.spark").replace('"usage-data"', repr(f"{folder}/usage"))
exec(guide)
spark.stop()
checks.end()
