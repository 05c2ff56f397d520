#!/usr/bin/env python3
"""A preprocessor of mdBook: includes pages of crates, and resolves links that leave the guide.

A page is written where it is read: beside its crate, with relative links and links to items of Rust. In the book, a link to a page that is a
chapter leads to the chapter, one to another file to the repository, and one to an item to its documentation.
"""
import json
import os
import re
import sys

REPOSITORY = "https://github.com/usage-billing/usage-billing"
ITEMS = "https://docs.rs/usage-billing/latest/usage_billing/?search="
INCLUDE = re.compile(r"\{\{#include ([^}]+)\}\}")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ITEM = re.compile(r"^(fn@)?[A-Za-z_]\w*(::\w+)*$")


def included(source, folder):
    """The files that the page `source` includes, relative to `docs`."""
    return [os.path.normpath(os.path.join(folder, path)) for path in INCLUDE.findall(source)]


def resolved(link, file, chapter, chapters):
    """`link` of `file` as it has to be written in `chapter`."""
    path, anchor = (link.split("#", 1) + [""])[:2]
    anchor = anchor and "#" + anchor
    if "://" in link or link.startswith("mailto:") or not path:
        return link
    if ITEM.match(path) and not os.path.exists(os.path.join(os.path.dirname(file), path)):
        return ITEMS + path.removeprefix("fn@").removeprefix("crate::")
    target = os.path.normpath(os.path.join(os.path.dirname(file), path))
    if target in chapters:
        return os.path.relpath(chapters[target], os.path.dirname(chapter) or ".") + anchor
    if not os.path.exists(target):
        sys.exit(f"{file}: {link} does not exist")
    in_repository = os.path.normpath(os.path.join("docs", target))
    kind = "tree" if os.path.isdir(target) else "blob"
    return f"{REPOSITORY}/{kind}/main/{in_repository}{anchor}"


def outside_of_code(text, change):
    """`text` with `change` applied to what is not a block of code."""
    parts = text.split("```")
    return "```".join(part if index % 2 else change(part) for index, part in enumerate(parts))


def rewrite(text, file, chapter, chapters):
    """`text` of `file` with the links of `chapter`."""
    change = lambda prose: LINK.sub(lambda link: f"]({resolved(link[1], file, chapter, chapters)})", prose)
    return outside_of_code(text, change)


def each_chapter(items):
    """All chapters with a path, depth first."""
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            if chapter.get("path"):
                yield chapter
            yield from each_chapter(chapter["sub_items"])


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "supports":
        return
    _, book = json.load(sys.stdin)
    pages = list(each_chapter(book.get("items") or book.get("sections")))
    chapters = {}
    for page in pages:
        for file in [page["path"], *included(page["content"], os.path.dirname(page["path"]))]:
            chapters[file] = page["path"]
    for page in pages:
        path, folder = page["path"], os.path.dirname(page["path"])
        page["content"] = rewrite(page["content"], path, path, chapters)

        def included_text(directive):
            file = os.path.normpath(os.path.join(folder, directive[1]))
            with open(file, encoding="utf-8") as text:
                return rewrite(text.read(), file, path, chapters)

        page["content"] = INCLUDE.sub(included_text, page["content"])
    json.dump(book, sys.stdout)


main()
