//! Where an SLO stands in the text that it was read from: its name, each objective, each alert row of its own, and any of its values. They are found again in
//! the text when somebody asks, so that SLOs that run carry no more than their file and its version.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use burnward_core::{id::SloId, slo::Slo};

use super::{
    codes,
    diagnostic::{Place, Position, Source},
    discover,
    load::Loaded,
    yaml::{self, Node, Value},
};
use crate::import;

/// Where an SLO stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Its name.
    pub name: Position,
    /// Its objectives, in order; fewer where the text does not show them, as of documents that are made of others.
    pub objectives: Vec<ObjectivePlaces>,
}

/// Where an objective stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectivePlaces {
    /// Where it begins.
    pub at: Position,
    /// Its own alert rows, in order; none where it has the default rows.
    pub rows: Vec<Position>,
}

impl Places {
    /// The places of an SLO in the text of a file; `None` where that does not hold it by this name.
    pub fn find(file: &str, text: &str, slo: &SloId) -> Option<Self> {
        let trees = Trees::read(file, text)?;
        let (source, node) = (&trees.source, trees.slo(slo)?);
        let position = |node: &Node| source.position(node.range.start);
        let objective = |node: &Node| {
            let rows = get(node, "alerting").and_then(|alerting| get(alerting, "rows"));
            ObjectivePlaces { at: position(node), rows: items(rows).iter().map(position).collect() }
        };
        Some(Self { name: position(get(node, "name")?), objectives: items(get(node, "objectives")).iter().map(objective).collect() })
    }
}

/// Finds values of the SLOs that loaded. Each text is taken apart once.
#[derive(Debug)]
pub struct Values<'l> {
    loaded: &'l Loaded,
    trees: BTreeMap<&'l str, Option<Trees>>,
}

impl<'l> Values<'l> {
    /// Those of SLOs that loaded.
    pub fn of(loaded: &'l Loaded) -> Self {
        Self { loaded, trees: BTreeMap::new() }
    }

    /// What loaded.
    pub const fn loaded(&self) -> &'l Loaded {
        self.loaded
    }

    /// The shortest value of an SLO that is wanted, by the keys that lead to it and by what it says; `None` where there is none.
    pub fn find(&mut self, slo: &'l Slo, wanted: impl Fn(&[&str], &str) -> bool) -> Option<Place> {
        let (loaded, file) = (self.loaded, slo.origin.file.as_str());
        let trees = self.trees.entry(file).or_insert_with(|| Trees::read(file, loaded.text_of(file))).as_ref()?;
        let mut found = Vec::new();
        scalars(trees.slo(&slo.id)?, &mut Vec::new(), &mut |keys, text, range| {
            if wanted(keys, text) {
                found.push((text.len(), range.clone()));
            }
        });
        let (_, range) = found.into_iter().min_by_key(|(length, range)| (*length, range.start))?;
        Some(loaded.own_place(slo, &Place::new(&trees.source, range)))
    }
}

/// The documents of a text as trees.
#[derive(Debug)]
struct Trees {
    source: Arc<Source>,
    roots: Vec<Node>,
}

impl Trees {
    /// Those of another tool's document are what it converts to, whose places are those of the text.
    fn read(file: &str, text: &str) -> Option<Self> {
        let source = discover::source(file, text);
        let roots = match yaml::parse(&source) {
            Ok(root) => vec![root],
            Err(faults) if faults.iter().any(|fault| fault.code == &codes::SEVERAL_DOCUMENTS) => yaml::parse_all(&source).ok()?,
            Err(_) => return None,
        };
        if !roots.iter().any(import::is_foreign) {
            return Some(Self { source, roots });
        }
        let source = import::source(file, text);
        let trees = import::documents(&source, &roots);
        Some(Self { roots: [trees.documents, trees.for_their_mistakes].concat(), source })
    }

    fn slo(&self, slo: &SloId) -> Option<&Node> {
        let of_service = |root: &&Node| scalar(get(root, "service")) == Some(slo.service.as_str());
        let named = |node: &&Node| scalar(get(node, "name")) == Some(slo.name.as_str());
        self.roots.iter().filter(of_service).flat_map(|root| items(get(root, "slos"))).find(named)
    }
}

/// Every text of a tree, with the keys that lead to it.
fn scalars<'n>(node: &'n Node, keys: &mut Vec<&'n str>, take: &mut impl FnMut(&[&str], &str, &Range<usize>)) {
    match &node.value {
        Value::Scalar { text, .. } => take(keys, text, &node.range),
        Value::List(items) => items.iter().for_each(|item| scalars(item, keys, take)),
        Value::Map(entries) => {
            for entry in entries {
                keys.push(&entry.key);
                scalars(&entry.value, keys, take);
                keys.pop();
            }
        }
    }
}

/// The value of a key.
fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items,
        Some(Value::Scalar { .. } | Value::Map(_)) | None => &[],
    }
}

fn scalar(node: Option<&Node>) -> Option<&str> {
    match node.map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) => Some(text),
        Some(Value::List(_) | Value::Map(_)) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use burnward_core::{
        id::{SourceName, TenantId},
        slo::Slo,
    };

    use super::*;
    use crate::definition::{Context, read_texts};

    fn slos(file: &str, text: &str) -> Vec<Arc<Slo>> {
        let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
        let loaded = read_texts([(PathBuf::from(file), text.to_owned())], &context);
        assert_eq!(loaded.count().0, 0, "{:?}", loaded.faults);
        loaded.slos
    }

    /// The places of every SLO, as `name 6:11, objective 9:9, row 12:13`.
    fn shown(file: &str, text: &str) -> Vec<String> {
        let at = |at: Position| format!("{}:{}", at.line, at.column);
        let one = |slo: &Arc<Slo>| {
            let places = Places::find(file, text, &slo.id).expect("it stands there");
            let objective = |objective: &ObjectivePlaces| {
                let rows = objective.rows.iter().map(|row| format!(", row {}", at(*row)));
                format!(", objective {}{}", at(objective.at), rows.collect::<String>())
            };
            format!("{} {}{}", slo.id.name, at(places.name), places.objectives.iter().map(objective).collect::<String>())
        };
        slos(file, text).iter().map(one).collect()
    }

    const OWN: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: exports
    sli:
      events: { bad: 'x{code=\"500\"}', total: 'x' }
    objectives: [{ target: 99%, window: 7d }]
  - sli:
      events: { bad: 'e{code=\"500\"}', total: 'e' }
    name: availability
    objectives:
      - target: 99.9%
        window: 30d
      - name: week
        window: 7d
        target: 99.5%
        alerting:
          rows:
            - { urgency: page, burn-rate: 14.4, long: 1h, short: 5m }
            - urgency: ticket
              burn-rate: 1
              long: 3d
              short: 6h
";

    #[test]
    fn names_objectives_and_own_rows_are_found_where_they_stand() {
        assert_eq!(
            shown("checkout.yaml", OWN),
            ["availability 11:11, objective 13:9, objective 15:9, row 20:15, row 21:15", "exports 5:11, objective 8:18"]
        );
    }

    #[test]
    fn of_another_tools_document_the_places_are_those_of_its_file() {
        let sloth = "version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=\"500\"}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: ShopErrors
";
        let shown = shown("sloth.yaml", sloth);
        assert!(shown[0].starts_with("availability 4:11"), "{shown:?}");
    }

    /// Where the shortest value of a key stands, of each SLO.
    fn values(file: &str, text: &str, key: &str) -> Vec<String> {
        let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
        let loaded = read_texts([(PathBuf::from(file), text.to_owned())], &context);
        let mut values = Values::of(&loaded);
        let mut one = |slo| values.find(slo, |keys, _| keys.last() == Some(&key)).map(|place| place.positions().0);
        loaded.slos.iter().map(|slo| one(slo).map_or_else(String::new, |at| format!("{}:{}", at.line, at.column))).collect()
    }

    #[test]
    fn a_value_is_found_in_its_own_slo() {
        assert_eq!(values("checkout.yaml", OWN, "total"), ["10:46", "7:46"]);
        assert_eq!(values("checkout.yaml", OWN, "target"), ["13:17", "8:28"]);
        assert_eq!(values("checkout.yaml", OWN, "per"), ["", ""]);
    }

    #[test]
    fn what_a_text_does_not_hold_is_not_found() {
        let slo = &slos("checkout.yaml", OWN)[0];
        for text in ["", "version: burnward/v1\nservice: other\nslos: [{ name: availability }]\n", "a: [", "slos: 3"] {
            assert_eq!(Places::find("checkout.yaml", text, &slo.id), None, "{text}");
        }
    }
}
