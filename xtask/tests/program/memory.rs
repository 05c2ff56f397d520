//! Small inputs that would expand to more than a machine has, each in a process with a limited address space.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{in_repository, repository};

/// What a command may have in memory.
const PEAK_MIB: u64 = 500;
/// What it maps beyond that: the program, and the stack of the commands' thread, of which it uses a few pages.
const MAPPED_MIB: u64 = 320;

/// Runs the program with a limited address space; whether it succeeded, its peak in MiB and what it printed.
fn limited(root: &Path, arguments: &str) -> (bool, u64, String) {
    let mut command = Command::new("sh");
    let limit = (PEAK_MIB + MAPPED_MIB) * 1024;
    command.args(["-c", &format!("ulimit -v {limit} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_xtask")]);
    // One arena: each more reserves 64 MiB of addresses.
    command.args(arguments.split_whitespace()).env("MALLOC_ARENA_MAX", "1");
    in_repository(&mut command, root);
    let (out, err) = (root.join("stdout"), root.join("stderr"));
    let file = |path: &Path| fs::File::create(path).expect("a file for the output");
    let mut child = command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err)).spawn().expect("a shell");
    let (mut peak, status) = (0, format!("/proc/{}/status", child.id()));
    let code = loop {
        if let Some(code) = child.try_wait().expect("the child is ours") {
            break code;
        }
        peak = fs::read_to_string(&status).ok().and_then(|status| peak_kib(&status)).unwrap_or_default().max(peak);
        // The peak is the kernel's own figure, which outlives the moment: this asks for it until the process is gone.
        thread::sleep(Duration::from_millis(2));
    };
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("it was made")).into_owned();
    (code.success(), peak / 1024, read(&err) + &read(&out))
}

fn peak_kib(status: &str) -> Option<u64> {
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Runs all commands that read a specification; each ends within the limit and without a crash.
fn all_commands(name: &str, text: &str, expected: impl Fn(&str, bool, &str)) -> std::io::Result<()> {
    let root = repository()?;
    fs::write(root.path().join(name), text)?;
    for arguments in [
        format!("lint {name}"),
        format!("lint --format json {name}"),
        format!("add-vendor --list --from {name}"),
        format!("add-vendor acme --from {name} --path /** --dry-run"),
        format!("upstream mini --from {name}"),
        format!("diff --base {name} --revision {name} --wire-only"),
    ] {
        let (good, peak, printed) = limited(root.path(), &arguments);
        println!("{} KiB, {arguments}: peak {peak} MiB", text.len() / 1024);
        let begin = printed.chars().take(2_000).collect::<String>();
        assert!(peak < PEAK_MIB, "{arguments}: {peak} MiB: {begin}");
        let crashed = ["panicked", "memory allocation", "stack overflow", "please report"];
        assert!(!crashed.iter().any(|word| printed.contains(word)), "{arguments}: {begin}");
        expected(&arguments, good, &printed);
    }
    Ok(())
}

/// An error of one line that names the limit.
fn rejected(arguments: &str, good: bool, printed: &str) {
    assert!(!good, "{arguments}");
    let begin = printed.chars().take(2_000).collect::<String>();
    assert!(printed.contains("limit"), "{arguments}: {begin}");
    assert!(printed.contains("OPENAPI_MAX_DOCUMENT_MIB"), "{arguments}: {begin}");
}

fn specification(schemas: &str, schema: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: Acme, version: '1'}}\nservers: [{{url: 'https://api.acme.example'}}]\nsecurity: [{{k: []}}]\n\
         paths:\n  /a:\n    post:\n      operationId: postA\n      requestBody: {{required: true, content: {{application/json: {{schema: {schema}}}}}}}\n      \
         responses: {{'200': {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}\n\
         components:\n  securitySchemes: {{k: {{type: apiKey, in: header, name: X-K}}}}\n  schemas:\n{schemas}"
    )
}

/// Each level refers to the next twice, by what `level` makes of the reference.
fn diamond(levels: usize, level: impl Fn(&str) -> String) -> String {
    let mut schemas = String::new();
    for index in 0..levels {
        let next = format!("{{$ref: '#/components/schemas/S{}'}}", index + 1);
        _ = writeln!(schemas, "    S{index}: {}", level(&next));
    }
    _ = writeln!(schemas, "    S{levels}: {{type: object, properties: {{end: {{type: string}}}}}}");
    specification(&schemas, "{$ref: '#/components/schemas/S0'}")
}

#[test]
fn a_diamond_of_required_schemas_is_drafted_without_its_example() -> std::io::Result<()> {
    for levels in [22, 41] {
        let text =
            diamond(levels, |next| format!("{{type: object, required: [l, r], properties: {{l: {next}, r: {next}}}}}"));
        all_commands("spec.yaml", &text, |arguments, good, printed| {
            if arguments.starts_with("add-vendor") {
                assert!(good, "{arguments}: {printed}");
            }
            if arguments.ends_with("--dry-run") {
                assert!(printed.contains("no example: what is required is more than 10000 values"), "{printed}");
            }
        })?;
    }
    Ok(())
}

#[test]
fn other_diamonds_end_too() -> std::io::Result<()> {
    let levels: [fn(&str) -> String; 5] = [
        |next| format!("{{allOf: [{next}, {next}, {{type: object, properties: {{a: {{type: string}}}}}}]}}"),
        |next| format!("{{oneOf: [{next}, {{allOf: [{next}]}}]}}"),
        |next| format!("{{anyOf: [{{type: array, items: {next}}}, {{type: array, items: {{allOf: [{next}]}}}}]}}"),
        |next| {
            format!(
                "{{type: object, required: [l, r], properties: {{l: {{type: array, items: {next}}}, r: {{type: array, items: {next}}}}}}}"
            )
        },
        |next| format!("{{type: object, additionalProperties: {{oneOf: [{next}, {next}]}}}}"),
    ];
    for level in levels {
        all_commands("spec.yaml", &diamond(41, level), |_, _, _| {})?;
    }
    Ok(())
}

#[test]
fn aliases_end_at_the_limit() -> std::io::Result<()> {
    let long = format!("x-a: &a {}\nx-b: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(5_000));
    let mut laughs = "x-0: &a0 {k: v}\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        _ = writeln!(laughs, "x-{level}: &a{level} {{l: *a{before}, r: *a{before}}}");
    }
    let merged = format!("x-a: &a {{k: {}}}\nx-b: [{}]\n", "x".repeat(1 << 20), "{<<: *a}, ".repeat(5_000));
    for bomb in [long, laughs, merged] {
        all_commands("spec.yaml", &(bomb + &diamond(1, |next| next.to_owned())), rejected)?;
    }
    Ok(())
}

#[test]
fn large_documents_end_at_the_limit() -> std::io::Result<()> {
    let many = format!("{{\"openapi\": \"3.0.3\", \"x\": [{}0]}}", "[],".repeat(5 << 20));
    let keys = format!("{{\"openapi\": \"3.0.3\", \"x\": {{{:?}: [{}0]}}}}", "k".repeat(1 << 20), "0,".repeat(1 << 20));
    let deep =
        format!("{{\"openapi\": \"3.0.3\", \"x\": {}{:?}{}}}", "[".repeat(100), "x".repeat(20 << 20), "]".repeat(100));
    let file = format!("{{\"openapi\": \"3.0.3\", \"x\": {:?}}}", "x".repeat(33 << 20));
    for text in [many, keys, deep, file] {
        all_commands("spec.json", &text, rejected)?;
    }
    Ok(())
}

#[test]
fn an_endless_file_ends_at_the_limit() -> std::io::Result<()> {
    let root = repository()?;
    for arguments in ["lint /dev/zero", "add-vendor acme --from /dev/zero --path /**", "upstream mini --from /dev/zero"]
    {
        let (good, peak, printed) = limited(root.path(), arguments);
        println!("{arguments}: peak {peak} MiB");
        assert!(peak < PEAK_MIB, "{arguments}: {peak} MiB");
        rejected(arguments, good, &printed);
    }
    Ok(())
}

/// A specification of as many operations, each with a body and responses of its own of 20 fields: one success and four errors.
fn many_operations(count: usize) -> String {
    let text = specification("", "{type: string}");
    let (head, components) = text.split_once("components:").expect("components");
    let mut paths = String::new();
    let fields =
        (0..20).map(|field| format!("f{field}: {{type: string, description: Words about it., maxLength: 40}}"));
    let object = format!("{{type: object, properties: {{{}}}}}", fields.collect::<Vec<_>>().join(", "));
    let content = format!("{{application/json: {{schema: {object}}}}}");
    let responses = ["200", "400", "401", "403", "404"];
    let responses = responses.map(|status| format!("'{status}': {{description: d, content: {content}}}")).join(", ");
    for index in 0..count {
        _ = write!(
            paths,
            "  /a/{index}:\n    put:\n      operationId: put{index}\n      requestBody: {{required: true, content: {content}}}\n      \
             responses: {{{responses}}}\n"
        );
    }
    format!("{head}{paths}components:{components}")
}

#[test]
fn drafting_takes_less_than_an_eighth_mebibyte_per_operation() -> std::io::Result<()> {
    const OPERATIONS: usize = 120;
    let root = repository()?;
    let peak = |count| -> std::io::Result<u64> {
        fs::write(root.path().join("spec.yaml"), many_operations(count))?;
        let (good, peak, printed) = limited(root.path(), "add-vendor acme --from spec.yaml --path /** --dry-run");
        assert!(good, "{printed}");
        Ok(peak)
    };
    let (one, all) = (peak(1)?, peak(OPERATIONS)?);
    println!("{one} MiB and {all} MiB");
    assert!(all.saturating_sub(one) * 8 < OPERATIONS as u64, "{one} MiB and {all} MiB");
    Ok(())
}
