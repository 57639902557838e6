//! The lines of SLOs in the texts that were read. Which of them begins where is gathered once, and each text is taken apart once, so that all SLOs of a file
//! are found in a time that grows with the file alone.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use burnward_core::slo::Slo;

use super::{
    diagnostic::{Place, Source},
    discover,
    load::Loaded,
};

/// What was gathered of documents that loaded, for those who ask again.
#[derive(Default)]
pub(super) struct Lines {
    /// The lines of the names of SLOs by file, in order.
    names: OnceLock<BTreeMap<String, Vec<usize>>>,
    texts: Mutex<BTreeMap<String, Arc<Source>>>,
}

impl Clone for Lines {
    /// Nothing is gathered yet of what becomes of the documents.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

impl Lines {
    fn text(&self, file: &str, read: impl FnOnce() -> Arc<Source>) -> Arc<Source> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.entry(file.to_owned()).or_insert_with(read).clone()
    }
}

impl Loaded {
    /// The shortest line of an SLO that holds all of these texts; the line of its name where none does.
    pub fn line_with(&self, slo: &Slo, texts: &[&str]) -> Place {
        let name = self.read_place(slo);
        let text = name.source.text();
        let first = name.range.as_ref().map_or(0, |range| range.start);
        let end = self.next_name(slo).map_or(text.len(), |line| name.source.line_start(line)).max(first);
        let mut from = first;
        let lines = text[first..end].split_inclusive('\n').map(|line| {
            let start = from + line.len() - line.trim_start().len();
            from += line.len();
            (start, line.trim())
        });
        let holding = lines.filter(|(_, line)| !texts.is_empty() && texts.iter().all(|text| line.contains(text)));
        let range = holding.min_by_key(|(_, line)| line.len()).map(|(start, line)| start..start + line.len());
        range.map_or_else(|| self.place(slo), |range| self.own_place(slo, &Place::new(&name.source, range)))
    }

    /// The line of the next SLO of the same file.
    fn next_name(&self, slo: &Slo) -> Option<usize> {
        let names = self.lines.names.get_or_init(|| {
            let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for slo in &self.slos {
                names.entry(slo.origin.file.clone()).or_default().push(line_of(slo));
            }
            for lines in names.values_mut() {
                lines.sort_unstable();
            }
            names
        });
        let lines = names.get(&slo.origin.file)?;
        lines.get(lines.partition_point(|line| *line <= line_of(slo))).copied()
    }

    /// The line of an SLO's name in the text that was read.
    pub(super) fn read_place(&self, slo: &Slo) -> Place {
        let file = slo.origin.file.as_str();
        let source = self.lines.text(file, || discover::source(file, self.text_of(file)));
        let start = source.line_start(line_of(slo));
        let line = source.text()[start..].lines().next().unwrap_or_default();
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        Place::new(&source, start + indent..start + line.trim_end().len())
    }
}

/// From 0.
fn line_of(slo: &Slo) -> usize {
    usize::try_from(slo.origin.line).unwrap_or(usize::MAX).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, path::PathBuf, sync::Arc};

    use burnward_core::id::{SourceName, TenantId};

    use crate::definition::{Context, Source, read_texts};

    /// A file of so many SLOs, each of six lines and a comment that makes it long.
    fn file(slos: usize) -> String {
        let mut text = "version: burnward/v1\nservice: shop\nteam: operators\nslos:\n".to_owned();
        for slo in 0..slos {
            let comment = "# ".to_owned() + &"why it is so ".repeat(40);
            write!(
                text,
                "  - name: slo-{slo}\n    {comment}\n    sli:\n      events:\n        bad: 'bad_{slo}'\n        total: 'all_{slo}'\n    objectives: [{{ target: 99%, window: 7d, alerting: none }}]\n"
            )
            .expect("a text");
        }
        text
    }

    #[test]
    fn each_slo_of_a_large_file_is_found_without_reading_the_file_again() {
        const SLOS: usize = 1000;
        let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
        let loaded = read_texts([(PathBuf::from("shop.yaml"), file(SLOS))], &context);
        assert_eq!((loaded.slos.len(), loaded.count().0), (SLOS, 0));
        for slo in &loaded.slos {
            let number: usize = slo.id.name.as_str().trim_start_matches("slo-").parse().expect("a number");
            let line = |texts: &[&str]| loaded.line_with(slo, texts).positions().0.line;
            assert_eq!((line(&[]), line(&["bad_"]), line(&["all_", "total"])), (5 + 7 * number, 9 + 7 * number, 10 + 7 * number));
        }
        // One text, taken apart once for all of them.
        let texts: Vec<Arc<Source>> = loaded.slos.iter().map(|slo| loaded.read_place(slo).source).collect();
        assert!(texts.iter().all(|text| Arc::ptr_eq(text, &texts[0])));
    }
}
