use crate::text::markdown::*;

#[test]
fn brackets_outside_code_are_escaped() {
    assert_eq!(doc_comment("a Vec<T> of [x], `b<T>[0]`"), r"a Vec\<T\> of \[x\], `b<T>[0]`");
    assert_eq!(doc_comment(r"an escaped \[x\] stays"), r"an escaped \[x\] stays");
}

#[test]
fn bare_addresses_become_links_and_links_stay() {
    assert_eq!(doc_comment("See https://a.b/c?d=e."), "See <https://a.b/c?d=e>.");
    assert_eq!(
        doc_comment("[the page](https://a.b/c) and <https://a.b>"),
        "[the page](https://a.b/c) and <https://a.b>"
    );
    assert_eq!(doc_comment("[a][b]\n\n[b]: https://a.b"), "[a](https://a.b)");
    assert_eq!(doc_comment("[`Vec`](std::vec::Vec) ![x](file:///y)"), "`Vec` x");
}

#[test]
fn all_code_becomes_fences_of_text() {
    for (text, expected) in [
        ("```rust\nfn a() {}\n```", "```text\nfn a() {}\n```"),
        ("```should_panic\npanic!()\n```", "```text\npanic!()\n```"),
        ("~~~\na\n~~~", "```text\na\n```"),
        ("`````rust\n````\n`````", "`````text\n````\n`````"),
        ("> ```\n> a\n> ```", "> ```text\n> a\n> ```"),
        ("- ```\n  a\n  ```", "- ```text\n  a\n  ```"),
        ("a\n\n\tlet b;", "a\n\n```text\nlet b;\n```"),
        ("a\n\n    let b;", "a\n\n```text\nlet b;\n```"),
        ("1. a\n\n        let b;", "1. a\n\n   ```text\n    let b;\n   ```"),
        ("a\n```rust\nnot closed", "a\n\n```text\nnot closed\n```"),
        ("a\r\n\r\n```\r\nb\r\n```", "a\n\n```text\nb\n```"),
        ("a\r```\rb\r```", "a\n\n```text\nb\n```"),
    ] {
        assert_eq!(doc_comment(text), expected, "{text:?}");
    }
}

#[test]
fn text_that_only_begins_like_a_block_stays_text() {
    for (text, expected) in [
        ("a\n        ~~~ rust", "a\n\\~~~ rust"),
        ("a\n        # b", "a\n\\# b"),
        ("a\n        - b", "a\n\\- b"),
        ("<pre>\n```\nb\n</pre>", "\\<pre\\>\n\\`\\`\\`\nb\n\\</pre\\>"),
        ("<!--\n~~~\n-->", "\\<!--\n\\~\\~\\~\n--\\>"),
        ("``` not ` a fence", "\\`\\`\\` not \\` a fence"),
    ] {
        assert_eq!(doc_comment(text), expected, "{text:?}");
    }
}

#[test]
fn structure_is_kept() {
    for text in [
        "# A\n\nb **c** *d* ~~e~~\n\n- f\n  - g\n- h\n\n1. i\n2. j",
        "| a | b |\n| --- | --- |\n| c | d |",
        "> quoted\n> twice",
        "- [x] done\n- [ ] not done",
    ] {
        assert_eq!(doc_comment(text), text);
    }
    assert_eq!(doc_comment("a[^1]\n\n[^1]: b"), "a\\[^1\\]\n\n\\[^1\\]:\n\nb");
    assert_eq!(doc_comment("[gone]: https://a.b"), "\\[gone\\]: https://a.b");
}

#[test]
fn characters_that_rustc_rejects_are_removed() {
    assert_eq!(doc_comment("a\u{202e}b\u{0}c\u{2066}\rd\u{7f}"), "abc\nd");
    assert_eq!(unsafe_characters("a\u{202e}b\r\nc\r"), ["U+000D", "U+202E"]);
}

#[test]
fn inline_code_ends_where_it_should() {
    for (text, expected) in
        [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a\n```rust\nb", "````a ```rust b````"), ("", "` `")]
    {
        assert_eq!(code_span(text), expected);
        assert!(is_without_code(expected));
    }
}

#[test]
fn an_entry_that_begins_with_code_keeps_it_below_its_label() {
    let entry = list_entry("`a`", "```\nlet b;\n```\nc");
    assert_eq!(entry, "- `a`:\n\n  ```text\n  let b;\n  ```\n\n  c");
    assert!(is_without_code(&entry));
    assert_eq!(list_entry("`a`", "b\nc"), "- `a`: b\n  c");
}

#[test]
fn deep_nesting_ends_in_a_fence() {
    let text = format!("{}a", "> ".repeat(10_000));
    assert!(doc_comment(&text).starts_with("```text\n> > "));
}
