//! The duration of a comparison, for a document of a usual size and for a very large one: the time per operation should be the same.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use spec_diff::{Options, diff};

/// A made-up document of this many resources, each with five operations and ten schemas that refer to each other; about 9 KB each.
fn document(resources: usize, kind: &str) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for resource in 0..resources {
        let reference = |number: usize| json!({"$ref": format!("#/components/schemas/R{resource}S{number}")});
        let content =
            |schema: Value| json!({"description": "A body.", "content": {"application/json": {"schema": schema}}});
        let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}});
        let page =
            json!({"name": "page", "in": "query", "schema": {"type": "integer", "format": "int32", "default": 1}});
        let list = json!({"type": "array", "items": reference(0)});
        let name = |verb: &str| format!("{verb}Resource{resource}");
        let error = content(reference(9));
        paths.insert(format!("/r{resource}"), json!({
            "get": {"operationId": name("list"), "parameters": [page], "responses": {"200": content(list), "400": error}},
            "post": {"operationId": name("create"), "requestBody": content(reference(1)), "responses": {"201": content(reference(0))}},
        }));
        paths.insert(format!("/r{resource}/{{id}}"), json!({
            "parameters": [id],
            "get": {"operationId": name("get"), "responses": {"200": content(reference(0)), "404": error}},
            "put": {"operationId": name("set"), "requestBody": content(reference(1)), "responses": {"200": content(reference(0))}},
            "delete": {"operationId": name("delete"), "responses": {"204": {"description": "Gone."}}},
        }));
        for number in 0..10 {
            let text =
                json!({"type": "string", "description": "What it says, in the words of the vendor.", "maxLength": 80});
            let properties = json!({
                "id": {"type": "string", "format": "uuid", "readOnly": true},
                "name": text, "note": text, "comment": text,
                "amount": {"type": if number == 3 { kind } else { "integer" }},
                "state": {"type": "string", "enum": ["open", "paid", "closed", "late"]},
                "at": {"type": "string", "format": "date-time", "description": "When, in UTC."},
                "next": {"allOf": [reference((number + 1) % 10)], "nullable": true},
                "others": {"type": "array", "items": reference((number + 3) % 10)},
            });
            schemas.insert(
                format!("R{resource}S{number}"),
                json!({"type": "object", "required": ["id", "name"], "properties": properties}),
            );
        }
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Made up", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(10);
    for (name, resources) in [("0.4 MB", 45), ("11 MB", 1_170)] {
        let (base, revision) = (document(resources, "integer"), document(resources, "number"));
        group.throughput(Throughput::Bytes(base.to_string().len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| diff(black_box(&base), black_box(&revision), &Options::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
