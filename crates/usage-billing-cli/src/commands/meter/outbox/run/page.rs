//! The status as one HTML page, which loads nothing. Text of vendors is escaped.

use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing::{Error, printable_message};
use usage_billing_outbox::store::{EntitlementBacklog, FailedAttempt};
use usage_billing_outbox::{Problem, State, Status};

use super::super::status::{open, seconds};

const TEMPLATE: &str = include_str!("../../../../../assets/outbox.html");
/// The script that reloads the page while it is visible.
const SCRIPT: &str = include_str!("../../../../../assets/outbox.js");
/// The browser runs this script only, and loads and sends nothing elsewhere. The hash is that of the script, which a test checks.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'sha256-wRVLWUolP4kp4hbsSnUSs9BC/ra+KpRixvjcSu5axRc='; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
                                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns the page of a status, or of the reason why there is none.
pub(super) fn page(organization: &str, status: Result<&Status, &Error>) -> String {
    let (verdict, content) = match status {
        Ok(status) => (verdict(status), content(status)),
        Err(error) => {
            let text = printable_message(&error.to_string()).to_string();
            (("bad", "The outbox cannot be read"), format!("<p class=\"text\">{}</p>", Escaped(&text)))
        }
    };
    let (class, verdict) = verdict;
    let main =
        format!("<h1>Outbox of {}</h1>\n<p class=\"verdict {class}\">{verdict}</p>\n{content}", Escaped(organization));
    let title = format!("{verdict} – outbox of {}", Escaped(organization));
    // The content last: it may contain a placeholder.
    let template = TEMPLATE.replace("{{script}}", SCRIPT).replace("{{title}}", &title.replace("{{", "{ {"));
    let (before, after) = template.split_once("{{main}}").unwrap_or((&template, ""));
    [before, &main, after].concat()
}

/// Returns the class and the text of the first line.
fn verdict(status: &Status) -> (&'static str, &'static str) {
    match (status.is_delivering, status.problems.as_slice()) {
        (false, _) => ("bad", "Metering is broken: usage is not delivered"),
        (true, []) => ("good", "Usage is delivered"),
        (true, [Problem::NoUsage]) => ("warn", "The delivery works, but no usage arrives"),
        (true, _) => ("warn", "Usage is delivered, but some needs attention"),
    }
}

fn content(status: &Status) -> String {
    let backlog = &status.backlog;
    let now = status.as_of;
    let mut text = String::new();
    if !status.problems.is_empty() {
        text += "<h2>Problems</h2>\n<ul>\n";
        for problem in &status.problems {
            let class = if problem.is_of_delivery() { "" } else { " class=\"note\"" };
            write(
                &mut text,
                format_args!("<li{class}><code>{}</code>: {}", problem.as_str(), Escaped(problem.advice())),
            );
            if let (Problem::StoreFails, Some(failure)) = (problem, &status.store_failure) {
                write(&mut text, format_args!(": {}", Escaped(&printable_message(&failure.message).to_string())));
            }
            text += "</li>\n";
        }
        text += "</ul>\n";
    }
    text += "<dl>\n";
    let ago = |time: Option<DateTime<Utc>>| (time.map(|time| age(now - time) + " ago"), time);
    let until = |time: Option<DateTime<Utc>>| {
        let shown =
            |time: DateTime<Utc>| if now < time { format!("in {}", age(time - now)) } else { age(now - time) + " ago" };
        (time.map(shown), time)
    };
    figure(&mut text, "Open events", (Some(grouped(open(status))), None), "none");
    figure(&mut text, "Oldest open usage", ago(backlog.oldest_timestamp), "none");
    figure(&mut text, "Next deadline", until(backlog.next_deadline), "none");
    figure(&mut text, "Last event stored", ago(backlog.enqueued_at), "never");
    figure(&mut text, "Sender looked for events", ago(backlog.heartbeat.beat_at), "never");
    figure(&mut text, "Suger resolved an event", ago(backlog.heartbeat.contact_at), "never");
    if backlog.open_records > 0 {
        figure(
            &mut text,
            "Unreported records",
            (Some(grouped(backlog.open_records)), backlog.oldest_open_hour),
            "none",
        );
    }
    text += "</dl>\n";
    let states = State::ALL.into_iter().map(|state| {
        let events = backlog.states.get(&state).copied().unwrap_or_default();
        format!("<tr><th scope=\"row\">{state}</th><td class=\"number\">{}</td></tr>", grouped(events))
    });
    table(&mut text, "Events by state", "states", &[("State", ""), ("Events", "number")], states);
    if !backlog.entitlements.is_empty() {
        let heads = [
            ("Entitlement", ""),
            ("Open", "number"),
            ("Oldest", ""),
            ("Marketplace", ""),
            ("Failures", "number"),
            ("Next attempt", ""),
        ];
        let rows = backlog.entitlements.iter().map(|one| entitlement(one, now));
        table(&mut text, "Entitlements with most open events", "cards", &heads, rows);
    }
    if !backlog.failed_attempts.is_empty() {
        let heads = [("When", ""), ("Outcome", ""), ("Entitlement", ""), ("Message", ""), ("Key", "")];
        let rows = backlog.failed_attempts.iter().map(failure);
        table(&mut text, "Latest failures", "cards", &heads, rows);
    }
    write(&mut text, format_args!("<p class=\"soft\">Read at {}.</p>\n", clock(now)));
    text
}

/// Writes a number with its name, and the time that it follows from.
fn figure(text: &mut String, name: &str, (value, time): (Option<String>, Option<DateTime<Utc>>), absent: &str) {
    let value = value.unwrap_or_else(|| absent.to_owned());
    let time = time.map_or_else(String::new, |time| format!("<small>{}</small>", clock(time)));
    write(text, format_args!("<div><dt>{name}</dt><dd>{value}{time}</dd></div>\n"));
}

fn table(text: &mut String, caption: &str, class: &str, heads: &[(&str, &str)], rows: impl Iterator<Item = String>) {
    write(text, format_args!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">"));
    write(text, format_args!("<table class=\"{class}\"><caption>{caption}</caption>\n<thead><tr>"));
    for (head, class) in heads {
        write(text, format_args!("<th scope=\"col\" class=\"{class}\">{head}</th>"));
    }
    *text += "</tr></thead>\n<tbody>\n";
    for row in rows {
        *text += &row;
        *text += "\n";
    }
    *text += "</tbody></table></div>\n";
}

fn entitlement(one: &EntitlementBacklog, now: DateTime<Utc>) -> String {
    let id = printable_message(&one.entitlement_id).to_string();
    let marketplace = printable_message(one.marketplace.as_deref().unwrap_or("not known")).to_string();
    let next = one.retry_at.map_or_else(|| "when due".to_owned(), clock);
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"number\" data-label=\"Open\">{}</td><td data-label=\"Oldest\">{} ago</td>\
         <td data-label=\"Marketplace\">{}</td><td class=\"number\" data-label=\"Failures\">{}</td><td data-label=\"Next attempt\">{next}</td></tr>",
        Escaped(&id),
        grouped(one.open),
        age(now - one.oldest_timestamp),
        Escaped(&marketplace),
        one.failures,
    )
}

fn failure(one: &FailedAttempt) -> String {
    let id = printable_message(&one.entitlement_id).to_string();
    let message = printable_message(one.message.as_deref().unwrap_or_default()).to_string();
    let status = one.status.map_or_else(String::new, |status| format!(" ({status})"));
    format!(
        "<tr><th scope=\"row\">{}</th><td data-label=\"Outcome\">{}{status}</td><td class=\"text\" data-label=\"Entitlement\">{}</td>\
         <td class=\"text\" data-label=\"Message\">{}</td><td data-label=\"Key\"><code>{}</code></td></tr>",
        clock(one.ended_at),
        one.outcome.as_str(),
        Escaped(&id),
        Escaped(&message),
        one.key,
    )
}

fn clock(time: DateTime<Utc>) -> String {
    format!("<time datetime=\"{}\">{}</time>", seconds(time), time.format("%Y-%m-%d %H:%M:%S"))
}

/// Returns a duration in its two largest units.
fn age(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

/// Returns a number with a space between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let grouped = digits.char_indices().flat_map(|(place, digit)| {
        let is_start = place > 0 && (digits.len() - place).is_multiple_of(3);
        is_start.then_some('\u{202f}').into_iter().chain([digit])
    });
    grouped.collect()
}

fn write(text: &mut String, arguments: fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    _ = text.write_fmt(arguments);
}

/// Text as HTML, also in an attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|one| match one {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            one => f.write_char(one),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};
    use usage_billing::ErrorKind;
    use usage_billing::uuid::Uuid;
    use usage_billing_outbox::Outcome;
    use usage_billing_outbox::store::Backlog;

    use super::*;

    const EVIL: &str = "<b>\"e\"\n</b>";

    /// Returns a status with everything, and foreign text that would be markup.
    pub(in super::super) fn status() -> Status {
        let at = |second: i64| DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
        let backlog = Backlog {
            states: [(State::Unknown, 2), (State::Delivered, 1_234_567)].into(),
            oldest_timestamp: Some(at(0)),
            next_deadline: Some(at(21_600)),
            open_records: 7,
            entitlements: vec![EntitlementBacklog {
                entitlement_id: EVIL.to_owned(),
                marketplace: Some("<AWS>".to_owned()),
                open: 2,
                oldest_timestamp: at(0),
                failures: 3,
                retry_at: Some(at(4000)),
            }],
            failed_attempts: vec![FailedAttempt {
                key: Uuid::nil(),
                entitlement_id: EVIL.to_owned(),
                ended_at: at(3000),
                outcome: Outcome::Unknown,
                status: Some(503),
                message: Some("<script>alert(1)</script> {{main}}\u{1b}[2K".to_owned()),
            }],
            ..Backlog::default()
        };
        Status::new(backlog, None, at(3600))
    }

    #[test]
    fn foreign_text_is_escaped() {
        let page = page("<i>acme</i>{{script}}", Ok(&status()));
        for markup in ["<b>", "<i>", "<AWS>", "<script>alert", "\u{1b}", "\n</b>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert_eq!((page.matches("<script>").count(), page.matches("</script>").count()), (1, 1));
        let error = Error::new(ErrorKind::File, "<b>full</b>");
        assert!(super::page("acme", Err(&error)).contains("&lt;b&gt;full"));
    }

    #[test]
    fn page_shows_the_backlog_and_its_problems() {
        let page = page("acme", Ok(&status()));
        for text in [
            "Metering is broken",
            "1\u{202f}234\u{202f}567",
            "1 h 0 min ago",
            "in 5 h 0 min",
            "sender_not_running",
            "unknown (503)",
            "datetime=\"2026-09-21T",
        ] {
            assert!(page.contains(text), "{text}:\n{page}");
        }
    }

    #[test]
    fn page_loads_nothing_and_its_policy_has_the_hash_of_its_script() {
        let page = page("acme", Ok(&status()));
        for loading in ["src=", "@import", "url(", "innerHTML", "http://", "https://"] {
            assert!(!page.contains(loading), "{loading}");
        }
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
        assert!(POLICY.contains(&format!("script-src 'sha256-{hash}'")), "sha256-{hash}");
    }

    #[test]
    fn verdict_distinguishes_silence_from_broken_metering() {
        let verdict_of = |problems: &[Problem]| {
            let is_delivering = !problems.iter().any(|problem| problem.is_of_delivery());
            let mut status = status();
            (status.problems, status.is_delivering) = (problems.to_vec(), is_delivering);
            verdict(&status).0
        };
        assert_eq!(verdict_of(&[]), "good");
        assert_eq!(verdict_of(&[Problem::NoUsage]), "warn");
        assert_eq!(verdict_of(&[Problem::NotBilled, Problem::NoUsage]), "warn");
        assert_eq!(verdict_of(&[Problem::SenderNotRunning, Problem::NoUsage]), "bad");
    }

    #[test]
    fn age_has_two_units() {
        for (seconds, expected) in
            [(-5, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(age(TimeDelta::seconds(seconds)), expected);
        }
    }
}
