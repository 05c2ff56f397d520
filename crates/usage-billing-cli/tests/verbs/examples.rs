//! The examples of `--help` and of the README are commands that the program accepts.

use super::support::{RunningSandbox, file, ok, program, run};

/// Returns the commands of a text: without comments and redirections, and those that run until Ctrl-C.
fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let commands = text.lines().filter_map(|line| line.trim().strip_prefix("usage-billing "));
    let words = |command: &str| {
        let command = command.split(" #").next().unwrap_or_default().split(" >").next().unwrap_or_default();
        command.replace('…', "x").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    commands.map(words).filter(|words| words[0] != "sandbox").collect()
}

fn help(verb: &[impl AsRef<std::ffi::OsStr>]) -> String {
    let (stdout, _) = ok(run(program(&[]).args(verb).arg("--help")));
    stdout
}

#[test]
fn examples_are_accepted() {
    let sandbox = RunningSandbox::start(&["--polls", "0"]);
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "invoice.csv", "Customer,SKU,Quantity\nAlder Dental Group,DEMO-SRV-PW,4\n");
    let events = "entitlement_id,timestamp,dimension,quantity\nent-aws01,2026-11-20T07:00:00Z,ingest_gb,5\n";
    file(&folder, "events.csv", events);
    let records = "id,entitlement_id,timestamp,dimension,quantity\nr-1,ent-aws01,2026-11-21T07:12:31Z,ingest_gb,0.5\n";
    file(&folder, "records.csv", records);
    file(&folder, "prices.csv", "vendor,sku,unit,currency,unit_price\n");
    file(&folder, "psa.csv", "Client,SKU,Qty\nAlder Dental Group,DEMO-SRV-PW,4\n");
    let mut invoice = rust_xlsxwriter::Workbook::new();
    let cells = [["Customer", "SKU", "Quantity"], ["Alder Dental Group", "DEMO-SRV-PW", "4"]];
    let sheet = invoice.add_worksheet();
    for (row, cells) in (0..).zip(cells) {
        (0..).zip(cells).for_each(|(column, cell)| _ = sheet.write_string(row, column, cell).unwrap());
    }
    invoice.save(folder.path().join("invoice.xlsx")).unwrap();
    for (period, output) in [
        ("2026-09", "september.csv"),
        ("2026-10", "october.csv"),
        ("2026-10", "october.parquet"),
        ("2026-09", "old/"),
        ("2026-10", "new/"),
    ] {
        let fetch =
            ["usage", "fetch", "acronis", "--today", super::support::TODAY, "--period", period, "--output", output];
        ok(run(sandbox.program(&fetch).current_dir(folder.path())));
    }
    let mut examples = commands(include_str!("../../README.md"));
    examples.extend(commands(include_str!("../../../../docs/accounts.md")));
    let readme = include_str!("../../../../README.md");
    examples.extend(commands(readme));
    // Its table of jobs.
    let jobs = readme
        .lines()
        .filter(|line| line.starts_with("| a ") || line.starts_with("| an "))
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    examples
        .extend(jobs.flat_map(|job| commands(&format!("usage-billing {}", job.trim_start_matches("usage-billing ")))));
    for verb in super::snapshots::verbs() {
        examples.extend(commands(&help(&verb)));
    }
    assert!(examples.len() > 40, "{examples:?}");
    for mut example in examples {
        // Two months in place of twelve, which add no case and take a minute.
        example
            .iter_mut()
            .filter(|word| *word == "2025-11..2026-10")
            .for_each(|word| *word = "2026-09..2026-10".to_owned());
        let mut command = sandbox.program(&[]);
        command.args(&example).current_dir(folder.path());
        // The dataset ends today.
        if ["fetch", "meter"].iter().any(|verb| example.contains(&(*verb).to_owned()))
            && !example.contains(&"--today".to_owned())
        {
            command.args(["--today", super::support::TODAY]);
        }
        let (code, _, stderr) = run(&mut command);
        assert!(code != Some(2) && !stderr.contains("panicked"), "{example:?}: {stderr}");
    }
}

#[test]
fn configuration_of_the_help_and_of_the_readme_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let readme = include_str!("../../README.md").split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let help = help(&["vendors"]);
    let from_help = help.split("USAGE_BILLING_CONFIG):\n").nth(1).unwrap().split("\n\nEnvironment").next().unwrap();
    for (name, text) in [("readme.toml", readme), ("help.toml", from_help)] {
        let config = file(&folder, name, text);
        let (code, stdout, stderr) = run(&mut program(&["vendors", "--config", &config]));
        assert!(code == Some(0) && stdout.contains("genesys-emea"), "{name}: {stderr}");
    }
}
