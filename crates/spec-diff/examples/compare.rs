//! Compares two files and prints the report as JSON: `compare BASE REVISION`, or with `--batch` one pair per line of the input
//! (`BASE<TAB>REVISION`) and one report per line of the output.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    time::SystemTime,
};

use serde_json::{Value, json};
use spec_diff::{Options, diff, to_json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let options = Options { today: Some(today()), ..Options::default() };
    let mut output = io::BufWriter::new(io::stdout().lock());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--batch"] => {
            for line in io::stdin().lock().lines() {
                let line = line?;
                let answer = match line.split_once('\t') {
                    Some((base, revision)) => compare(base, revision, &options),
                    None => Err("not BASE<TAB>REVISION".into()),
                };
                writeln!(output, "{}", answer.unwrap_or_else(|error| json!({"error": error.to_string()})))?;
            }
        }
        [base, revision] => writeln!(output, "{:#}", compare(base, revision, &options)?)?,
        _ => return Err("usage: compare BASE REVISION, or compare --batch".into()),
    }
    output.flush()?;
    Ok(())
}

fn compare(base: &str, revision: &str, options: &Options) -> Result<Value, Box<dyn Error>> {
    let read = |path: &str| -> Result<Value, Box<dyn Error>> {
        let text = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(serde_json::from_slice(&text).map_err(|error| format!("{path}: {error}"))?)
    };
    Ok(to_json(&[diff(&read(base)?, &read(revision)?, options)?]))
}

/// The day in UTC, counted from 1970 as the calendar does (days since 0000-03-01, eras of 400 years).
fn today() -> String {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}
