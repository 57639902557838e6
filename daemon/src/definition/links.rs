//! The links of runbooks: who is woken follows them, so those that lead nowhere are told before. Files and headings are looked up; pages of the web are only
//! named here, since whoever asks for them decides that.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use comrak::{
    Anchorizer, Arena, Options,
    nodes::{NodeHtmlBlock, NodeValue, Sourcepos},
    parse_document,
};
use url::Url;

use super::{
    Diagnostic, Source, codes,
    diagnostic::{Place, visible},
    discover, raw_html,
    reader::nearest,
    runbook,
};

/// What a runbook links to.
#[derive(Debug, Default)]
pub struct Links {
    /// What leads nowhere.
    pub dead: Vec<Diagnostic>,
    /// Pages of the web.
    pub pages: Vec<Page>,
}

/// A page of the web that a runbook links to.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Where it is linked.
    pub place: Place,
}

/// The links of the runbook `name` of a directory. One that cannot be read has none: that it is missing is told where it is named.
pub fn of(directory: &Path, name: &str) -> Links {
    let mut links = Links::default();
    let Ok(text) = runbook::text(directory, name) else { return links };
    let path = directory.join(name);
    let source = discover::source(&path.display().to_string(), &text);
    let mut anchors = Anchors::default();
    for (target, range) in targets(&source) {
        let place = Place::new(&source, range);
        match look_up(&target, &path, &mut anchors) {
            Target::There => {}
            Target::Web(url) => links.pages.push(Page { url, place }),
            Target::Nowhere { why, help } => {
                let message = format!("the link to `{}` leads nowhere: {why}", visible(&target));
                links.dead.push(Diagnostic { code: &codes::RUNBOOK_LINK, message, place, related: Vec::new(), help: vec![help] });
            }
        }
    }
    links
}

/// What a link leads to.
enum Target {
    There,
    Web(Url),
    Nowhere { why: String, help: String },
}

fn look_up(target: &str, runbook: &Path, anchors: &mut Anchors) -> Target {
    let nowhere = |why: &str, help: &str| Target::Nowhere { why: why.to_owned(), help: help.to_owned() };
    match Url::parse(target) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => return Target::Web(url),
        Ok(url) if matches!(url.scheme(), "mailto" | "tel") => return Target::There,
        Ok(url) => {
            return nowhere(
                &format!("burnward shows no link of the kind `{}:`", url.scheme()),
                "name a page by http or https, or a file beside the runbook",
            );
        }
        Err(_) if target.starts_with('/') => {
            return nowhere(
                "it is a path from the root of nothing",
                "name the file as seen from the runbook, or a whole address: https://...",
            );
        }
        Err(_) => {}
    }
    let base = runbook.canonicalize().ok().and_then(|path| Url::from_file_path(path).ok());
    let Some(url) = base.and_then(|base| base.join(target).ok()) else {
        return nowhere("it is no address", "name a file, or a whole address");
    };
    let Some(file) = url.to_file_path().ok().filter(|file| file.exists()) else {
        return Target::Nowhere { why: "there is no such file".to_owned(), help: beside(target, runbook) };
    };
    let Some(heading) = url.fragment().filter(|heading| !heading.is_empty()) else { return Target::There };
    let leads_to = |known: &String| {
        let mut there = url.clone();
        there.set_fragment(Some(known));
        there == url
    };
    match anchors.of(&file) {
        Some(known) if !known.iter().any(leads_to) => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = nearest(heading, &known).map_or_else(|| known.join(", #"), ToOwned::to_owned);
            let help = if near.is_empty() { "it has no headings".to_owned() } else { format!("its headings are: #{near}") };
            nowhere(&format!("no heading is called `{}` there", visible(heading)), &help)
        }
        Some(_) | None => Target::There,
    }
}

/// The file beside the runbook that is spelt nearly the same.
fn beside(target: &str, runbook: &Path) -> String {
    let entries = runbook.parent().into_iter().flat_map(|directory| fs::read_dir(directory).into_iter().flatten().flatten());
    let names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = target.split('#').next().unwrap_or_default();
    nearest(wanted, &names).map_or_else(|| "paths are as seen from the runbook".to_owned(), |name| format!("did you mean `{name}`?"))
}

/// The headings of Markdown files, as addresses name them.
#[derive(Debug, Default)]
struct Anchors(BTreeMap<PathBuf, Option<BTreeSet<String>>>);

impl Anchors {
    /// `None` for a file that is no Markdown or cannot be read as a runbook.
    fn of(&mut self, file: &Path) -> Option<&BTreeSet<String>> {
        let read = || Some(headings(&runbook::text(file.parent()?, file.file_name()?.to_str()?).ok()?));
        self.0.entry(file.to_owned()).or_insert_with(read).as_ref()
    }
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options
}

/// Headings by their names in an address, which code hosts and editors make alike: small letters, dashes for spaces, a number where one is there before.
fn headings(text: &str) -> BTreeSet<String> {
    let (arena, mut anchorizer) = (Arena::new(), Anchorizer::new());
    let root = parse_document(&arena, text, &options());
    let mut found = BTreeSet::new();
    for node in root.descendants() {
        if matches!(node.data().value, NodeValue::Heading(_)) {
            found.insert(anchorizer.anchorize(&node.collect_text()));
        }
        if let NodeValue::HtmlInline(html) | NodeValue::HtmlBlock(NodeHtmlBlock { literal: html, .. }) = &node.data().value {
            found.extend(raw_html::attributes(html, &["id", "name"]).into_iter().map(|(anchor, _)| anchor));
        }
    }
    found
}

/// What each link and image names, also in raw HTML, with its place.
fn targets(source: &Arc<Source>) -> Vec<(String, Range<usize>)> {
    let (arena, mut options) = (Arena::new(), options());
    // As pages of code hosts and chats show them: an address that stands there by itself is a link.
    options.extension.autolink = true;
    let root = parse_document(&arena, source.text(), &options);
    let lines = line_starts(source.text());
    let mut found = Vec::new();
    for node in root.descendants() {
        let (data, place) = (node.data(), range(source.text(), &lines, node.data().sourcepos));
        match &data.value {
            NodeValue::Link(link) | NodeValue::Image(link) => {
                let written = source.text().get(place.clone()).unwrap_or_default();
                if !is_pattern(written) {
                    found.push((link.url.clone(), place));
                }
            }
            NodeValue::HtmlInline(_) | NodeValue::HtmlBlock(_) => {
                let html = source.text().get(place.clone()).unwrap_or_default();
                let linked = raw_html::attributes(html, &["href", "src"]).into_iter();
                found.extend(linked.map(|(target, at)| (target, place.start + at.start..place.start + at.end)));
            }
            _ => {}
        }
    }
    found
}

/// Whether what stands there is no link by its form, and no address either but a pattern of one: `https://wiki.example.com/{service}`.
fn is_pattern(written: &str) -> bool {
    !written.starts_with(['[', '!', '<']) && written.contains(['{', '}', '$', '*', '…'])
}

/// The bytes of a position of lines and columns, both from 1, with its last character included, as far as the text goes.
fn range(text: &str, lines: &[usize], position: Sourcepos) -> Range<usize> {
    let byte = |line: usize, column: usize| {
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(text.len());
        let at = (start + column).min(text.len());
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
    };
    let end = byte(position.end.line, position.end.column);
    byte(position.start.line, position.start.column.saturating_sub(1)).min(end)..end
}

/// Where each line starts; as in CommonMark a carriage return alone ends one, too.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = |at: &usize| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Colour;

    fn links_of(text: &str) -> (tempfile::TempDir, Links) {
        let directory = tempfile::tempdir().expect("a directory");
        let runbooks = directory.path().join("runbooks");
        fs::create_dir_all(runbooks.join("pictures of it")).expect("a directory");
        for (name, text) in [
            ("checkout.md", text),
            ("payments.md", "# Payments\n## First steps\n## First steps\n"),
            ("pictures of it/a.png", ""),
            ("../README.md", "# Über uns\n"),
        ] {
            fs::write(runbooks.join(name), text).expect("written");
        }
        let links = of(&runbooks, "checkout.md");
        (directory, links)
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let (_directory, links) = links_of(text);
        let messages: Vec<&str> = links.dead.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }

    #[test]
    fn files_and_headings_are_looked_up_as_a_reader_would_follow_them() {
        for text in [
            "[a](payments.md) [b](./payments.md#first-steps) [c](payments.md#first-steps-1) [d](#here)\n\n# Here\n",
            "![a](pictures%20of%20it/a.png) [b](<pictures of it/a.png>) [c](../README.md#%C3%BCber-uns) [d](..)",
            "`[a](gone.md)`\n\n```\n[a](gone.md)\n```\n",
            "[by mail](mailto:a@example.com), <https://example.com/a>",
            "See <a href=\"payments.md#first-steps\">it</a>, <a href='#below'>this</a>.\n\n<div>\n<img src=\"pictures of it/a.png\"/>\n<a name=\"below\"></a></div>\n",
            "`<a href=\"gone.md\">`\n\n<!-- <a href=\"gone.md\"> -->\n\n<a title=\"href=gone.md\">b</a>\n",
        ] {
            check(text, None);
        }
        for (text, expected) in [
            ("[a](gone.md)", "the link to `gone.md` leads nowhere: there is no such file"),
            ("![a](gone.png)", "the link to `gone.png` leads nowhere: there is no such file"),
            ("[a][b]\n\n[b]: gone.md", "the link to `gone.md` leads nowhere: there is no such file"),
            ("[a](#there)\n# Here", "the link to `#there` leads nowhere: no heading is called `there` there"),
            ("b <a class=x\n href=gone.md>a</a>", "the link to `gone.md` leads nowhere: there is no such file"),
            ("<p>\n<img alt='' SRC = 'gone.png'>\n</p>", "the link to `gone.png` leads nowhere: there is no such file"),
            ("> <a href='#there'>a</a>\n\n# Here", "the link to `#there` leads nowhere: no heading is called `there` there"),
            ("[a](payments.md#last-steps)", "the link to `payments.md#last-steps` leads nowhere: no heading is called `last-steps` there"),
            ("[a](/runbooks/payments.md)", "the link to `/runbooks/payments.md` leads nowhere: it is a path from the root of nothing"),
            (
                "[a](javascript:alert(1))",
                "the link to `javascript:alert(1)` leads nowhere: burnward shows no link of the kind `javascript:`",
            ),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn the_place_is_that_of_the_link_behind_the_front_matter_and_what_was_meant_is_named() {
        let (directory, links) = links_of("---\nowner: shop\n---\n# A\n\n1. See ü [the other](paymets.md).\n");
        let (_other, in_html) = links_of("# A\n\n- ü: <a title=\"x\" href=\"paymets.md\">the other</a>\n");
        let place = &in_html.dead[0].place;
        assert_eq!(place.range.clone().and_then(|range| place.source.text().get(range)), Some("paymets.md"));
        let shown = links.dead[0].render(Colour::Never).replace(&directory.path().display().to_string(), "");
        insta::assert_snapshot!(shown, @r"
        warning[W2017]: the link to `paymets.md` leads nowhere: there is no such file
         --> /runbooks/checkout.md:6:10
          |
        6 | 1. See ü [the other](paymets.md).
          |          ^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: did you mean `payments.md`?
        ");
    }

    #[test]
    fn pages_of_the_web_are_named_and_not_asked_for() {
        let (_directory, links) = links_of("[a](https://wiki.example.com/x#y) and [b](http://127.0.0.1:1/)");
        let pages: Vec<&str> = links.pages.iter().map(|page| page.url.as_str()).collect();
        assert_eq!(pages, ["https://wiki.example.com/x#y", "http://127.0.0.1:1/"]);
        assert!(links.dead.is_empty());
    }

    #[test]
    fn an_address_that_stands_by_itself_is_a_link_with_its_place() {
        let text = "# A\n\nFirst https://127.0.0.1:3/x, then.\n\n- https://127.0.0.1:4/dash\n- é (see http://a.example/b_(c)) www.example.com/d\n\n| a |\n|---|\n| https://b.example/t |\n";
        let (_directory, links) = links_of(text);
        let shown =
            |page: &Page| page.place.range.clone().and_then(|range| page.place.source.text().get(range)).unwrap_or_default().to_owned();
        let pages: Vec<(&str, String)> = links.pages.iter().map(|page| (page.url.as_str(), shown(page))).collect();
        let expected = [
            ("https://127.0.0.1:3/x", "https://127.0.0.1:3/x"),
            ("https://127.0.0.1:4/dash", "https://127.0.0.1:4/dash"),
            ("http://a.example/b_(c)", "http://a.example/b_(c)"),
            ("http://www.example.com/d", "www.example.com/d"),
            ("https://b.example/t", "https://b.example/t"),
        ];
        assert_eq!(pages, expected.map(|(url, shown)| (url, shown.to_owned())));
        assert!(links.dead.is_empty(), "{:?}", links.dead);
    }

    #[test]
    fn an_address_in_code_or_of_a_pattern_is_no_link() {
        let text = "`https://a.example/x`\n\n```\ncurl https://b.example/y\n```\n\nhttps://c.example/{service} https://d.example/$HOST ops@example.com\n";
        let (_directory, links) = links_of(text);
        assert!(links.pages.is_empty() && links.dead.is_empty(), "{links:?}");
    }

    #[test]
    fn every_end_of_a_line_is_one_and_no_place_lies_outside_of_the_text() {
        for ends in ["\n", "\r\n", "\r"] {
            let text = format!("# A{ends}{ends}\0é{ends}[x](nowhere.md){ends}");
            let (_directory, links) = links_of(&text);
            let [dead] = &links.dead[..] else { panic!("{:?}", links.dead) };
            let shown = dead.place.range.clone().and_then(|range| dead.place.source.text().get(range));
            assert_eq!(shown, Some("[x](nowhere.md)"), "{ends:?}");
            assert!(dead.render(Colour::Never).contains("nowhere.md"));
        }
    }
}
