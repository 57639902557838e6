//! Which labels and values a Prometheus has, asked of its index alone: no sample is read.

use std::collections::BTreeSet;

use burnward_core::{
    ledger::{Reason, Unknown},
    sli::Selector,
    time::Timestamp,
};

use super::{Prometheus, decode, time_text};
use crate::source::http::unknown;

impl Prometheus {
    /// The names of the labels of all series that match within a span.
    pub async fn label_names(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<BTreeSet<String>, Unknown> {
        self.listed("labels", selector, from, to).await
    }

    /// The values of a label among all series that match within a span; of `__name__` the metrics. A selector without a name and matchers is of all series.
    pub async fn label_values(
        &self,
        label: &str,
        selector: &Selector,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeSet<String>, Unknown> {
        let classic = label.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) && !label.is_empty();
        if !classic {
            return Err(unknown(Reason::BadQuery, "a label of the classic alphabet can be asked for"));
        }
        self.listed(&format!("label/{label}/values"), selector, from, to).await
    }

    async fn listed(&self, path: &str, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<BTreeSet<String>, Unknown> {
        let (matching, start, end) = (self.narrowed(selector).to_string(), time_text(from)?, time_text(to)?);
        let mut asked = vec![("start", start.as_str()), ("end", end.as_str())];
        if matching != "{}" {
            asked.push(("match[]", &matching));
        }
        let body = self.api.get_with(path, &asked).await?;
        let values = decode::plain::<Vec<String>>(&body).map_err(|what| self.api.at(&what))?;
        Ok(values.into_iter().collect())
    }
}
