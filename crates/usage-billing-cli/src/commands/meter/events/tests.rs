use super::*;

const CSV: &str = "entitlement_id,timestamp,dimension,quantity\n";

fn problems(text: &str) -> Vec<String> {
    parse(text).1.into_iter().map(|problem| format!("{}: {}", problem.line, problem.message)).collect()
}

fn summary(text: &str) -> String {
    let (events, problems) = parse(text);
    assert_eq!(problems, []);
    let events: Vec<_> = events.into_iter().map(|one| one.event).collect();
    serde_json::to_string(&events).unwrap()
}

#[test]
fn csv_and_json_lines_give_the_same_events() {
    let csv = "\u{feff}timestamp,entitlement_id,quantity,dimension,sequence\r\n\
        2026-10-01T09:00:00+02:00, ent-7 ,12.5,gb,\r\n\
        2026-10-01T07:00:00Z,ent-7,40000,calls,0\r\n\
        2026-10-01T07:00:00Z,ent-7,1,gb,1\r\n";
    let json = concat!(
        r#"{"entitlement_id":"ent-7","timestamp":"2026-10-01T07:00:00Z","quantities":{"gb":12.50,"calls":"40000"}}"#,
        "\n\n",
        r#"{"entitlement_id":"ent-7","timestamp":"2026-10-01T07:00:00Z","sequence":1,"quantities":{"gb":1}}"#,
    );
    assert_eq!(summary(csv), summary(json));
    // The JSON form of events, as in receipts, is read.
    let events = parse(csv).0;
    let lines: Vec<_> = events.iter().map(|one| serde_json::to_string(&one.event).unwrap()).collect();
    assert_eq!(summary(&lines.join("\n")), summary(csv));
}

#[test]
fn number_keeps_all_its_digits() {
    let line =
        r#"{"entitlement_id":"e","timestamp":"2026-10-01T07:00:00Z","quantities":{"gb":1234567890123456.123456789}}"#;
    assert!(summary(line).contains("1234567890123456.123456789"));
}

#[test]
fn every_error_has_its_line() {
    let json = |rest: &str| format!(r#"{{"entitlement_id":"e","timestamp":"2026-10-01T07:00:00Z",{rest}}}"#);
    let ok = json(r#""quantities":{"gb":1}"#);
    for (text, expected) in [
        ("a,b\n".to_owned(), &["1: unknown column \"a\": expected one of entitlement_id, "][..]),
        ("entitlement_id;timestamp\n".to_owned(), &["1: the columns are separated by semicolons: expected commas"]),
        (
            "entitlement_id,timestamp,dimensions\n".to_owned(),
            &["1: unknown column \"dimensions\": did you mean `dimension`?"],
        ),
        ("entitlement_id,timestamp\n".to_owned(), &["1: the header lacks dimension, quantity"]),
        ("quantity,quantity\n".to_owned(), &["1: the column quantity is there twice"]),
        (
            format!(
                "{CSV}e,2026-10-01T07:00:00Z,gb,1\ne,2026-10-01,gb,1\ne,2026-10-01T08:00:00Z,gb\ne,2026-10-01T09:00:00Z,gb,1e3\n"
            ),
            &[
                "3: invalid timestamp \"2026-10-01\": ",
                "4: 3 columns: expected 4 as in the header",
                "5: invalid quantity \"1e3\": ",
            ],
        ),
        (
            format!("{CSV}e,2026-10-01T07:00:00Z,gb,1\ne,2026-10-01T07:00:00Z,gb,1\n"),
            &["3: gb of e at this time is in line 2 already: add the quantities up"],
        ),
        (format!("{CSV}e,2026-10-01T07:00:00Z,gb,-1\n"), &["2: gb of e is -1: "]),
        (format!("{CSV}e,2026-10-01T07:00:00.5Z,gb,1\n"), &["2: the timestamp of e is "]),
        (format!("{CSV}e,2026-10-01T07:00:00Z,gb,0\n"), &["2: all quantities of e are zero"]),
        (format!("{CSV},2026-10-01T07:00:00Z,gb,1\n"), &["2: the event has no entitlement"]),
        ("entitlement_id\ttimestamp\n".to_owned(), &["1: the columns are separated by tabs: expected commas"]),
        ("{\n  \"entitlement_id\": \"e\"\n}".to_owned(), &["1: a JSON object over several lines: expected JSON lines"]),
        ("[{}]".to_owned(), &["1: a JSON array: expected JSON lines"]),
        (format!("{ok}\n{{"), &["2: invalid event: EOF while parsing an object (column 1)"]),
        (format!("{ok}\n{ok}"), &["2: gb of e at this time is in line 1 already"]),
        (json(r#""quantities":{"gb":1,"gb":2}"#), &["1: gb of e at this time is in line 1 already"]),
        (json(r#""quantities":{"gb":1},"quantity":1"#), &["1: invalid event: unknown field `quantity`"]),
        (json(r#""quantities":{"gb":null}"#), &["1: invalid quantity \"null\""]),
        (json(r#""quantities":7"#), &["1: invalid event: invalid type: integer `7`, expected an object of quantities"]),
        (json(r#""sequence":-1,"quantities":{}"#), &["1: invalid event: invalid value: integer `-1`, expected u32"]),
        ("{\"a\\n\":1}".to_owned(), &[r"1: invalid event: unknown field `a\n`"]),
    ] {
        let found = problems(&text);
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected) && !found.contains('\n'), "{text}: {found}");
        }
    }
}

#[test]
fn lines_of_other_dimensions_at_one_time_are_separate_events() {
    let json = |quantities: &str| {
        format!(r#"{{"entitlement_id":"e","timestamp":"2026-10-01T07:00:00Z","quantities":{quantities}}}"#)
    };
    let (events, problems) = parse(&[json(r#"{"gb":1}"#), json(r#"{"calls":1}"#)].join("\n"));
    assert_eq!((events.len(), problems.len()), (2, 0));
    // Billed twice otherwise: the ids differ.
    let (_, problems) = parse(&[json(r#"{"gb":1}"#), json(r#"{"gb":1,"calls":1}"#)].join("\n"));
    assert_eq!(problems.len(), 1);
}

#[test]
fn timestamp_in_the_future_or_before_2000_has_its_line() {
    let lines = ["2026-11-21T12:05:00Z", "2026-11-21T12:05:01Z", "2000-01-01T00:00:00Z", "1999-12-31T23:59:59Z"];
    let lines = lines.map(|time| format!("e,{time},gb,1\n")).concat();
    let (events, _) = parse(&(CSV.to_owned() + &lines));
    let found: Vec<_> = impossible_times(
        events.iter().map(|one| (one.line, one.event.timestamp())),
        "2026-11-21T12:00:00Z".parse().unwrap(),
    )
    .into_iter()
    .map(|problem| format!("{}: {}", problem.line, problem.message))
    .collect();
    assert_eq!(
        found,
        [
            "3: the timestamp 2026-11-21T12:05:01Z is in the future: expected at most 2026-11-21T12:00:00Z",
            "5: the timestamp 1999-12-31T23:59:59Z is too old: expected the year 2000 or later"
        ]
    );
}
