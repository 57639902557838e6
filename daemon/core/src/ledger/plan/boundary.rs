//! The boundaries of a classic histogram's buckets, which are numbers that `le` spells in many ways.

use crate::{ledger::Series, sli::Labels};

/// The number in `le`; classic histograms spell it in many ways.
pub(in crate::ledger) fn bucket_boundary(labels: &Labels) -> Option<f64> {
    labels.get("le").parse().ok()
}

/// The finite boundaries of these `_bucket` series, in order.
pub fn boundaries_of(series: &[Series]) -> Vec<f64> {
    let mut boundaries: Vec<f64> = series.iter().filter_map(|series| bucket_boundary(&series.labels)).filter(|le| le.is_finite()).collect();
    boundaries.sort_by(f64::total_cmp);
    boundaries.dedup();
    boundaries
}

/// The boundaries next to a threshold that is none, in words that follow a sentence; empty where there are no boundaries.
pub fn beside(threshold: f64, boundaries: &[f64]) -> String {
    match neighbours(threshold, boundaries) {
        (None, None) => String::new(),
        (Some(only), None) => format!("; the highest is {only}"),
        (None, Some(only)) => format!("; the lowest is {only}"),
        (Some(below), Some(above)) => format!("; its neighbours are {below} and {above}"),
    }
}

/// The boundaries below and above a threshold that is none.
fn neighbours(threshold: f64, boundaries: &[f64]) -> (Option<f64>, Option<f64>) {
    let below = boundaries.iter().copied().filter(|boundary| *boundary < threshold).reduce(f64::max);
    let above = boundaries.iter().copied().filter(|boundary| *boundary > threshold).reduce(f64::min);
    (below, above)
}

/// A regular expression for every spelling of a bucket boundary that client libraries use: `0.3`, `.3`, `0.30`, `3e-01`, `3.0E-1`; `30`, `30.0`, `3e+01`.
pub(in crate::ledger) fn spellings(boundary: f64) -> String {
    let scientific = format!("{boundary:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (digits, exponent) = (mantissa.replace('.', ""), exponent.parse::<i32>().unwrap_or(0));
    let sign = match exponent {
        0 => "[+-]?0+".to_owned(),
        up if up > 0 => format!("\\+?0*{up}"),
        down => format!("-0*{}", down.abs()),
    };
    let tail = if digits.len() == 1 { "(\\.0*)?".to_owned() } else { format!("\\.{}0*", &digits[1..]) };
    let scientific = format!("{}{tail}[eE]{sign}", &digits[..1]);
    match plain(&digits, exponent) {
        Some(plain) => format!("{plain}|{scientific}"),
        None => scientific,
    }
}

/// The spelling without an exponent, where it is not absurdly long.
fn plain(digits: &str, exponent: i32) -> Option<String> {
    let point = usize::try_from(exponent.abs()).ok().filter(|places| *places <= 20)?;
    Some(if exponent < 0 {
        format!("0?\\.{}{digits}0*", "0".repeat(point - 1))
    } else if digits.len() <= point + 1 {
        format!("{digits}{}(\\.0*)?", "0".repeat(point + 1 - digits.len()))
    } else {
        format!("{}\\.{}0*", &digits[..=point], &digits[point + 1..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sli::{Dialect, dialect::compile};

    #[test]
    fn every_spelling_of_a_threshold_is_asked_for_and_no_other_number() {
        for (boundary, same, others) in [
            (0.3, vec!["0.3", "0.30", ".3", "3e-01", "3.0E-1", "3e-1"], vec!["0.31", "3", "30", "0.03", "1.3", "+Inf"]),
            (30.0, vec!["30", "30.0", "30.", "3e+01", "3.0e1"], vec!["3", "300", "30.1", "3e-01"]),
            (2.5, vec!["2.5", "2.50", "2.5e+00", "2.5e0"], vec!["25", "2.55", "0.25"]),
            (1e-5, vec!["0.00001", "1e-05", "1.0E-5"], vec!["0.0001", "1e-06"]),
            (10_000_000.0, vec!["10000000", "1e+07", "1.0E7", "10000000.0"], vec!["1e+08", "1e-07"]),
        ] {
            let regex = compile(&spellings(boundary), Dialect::default()).expect("own expression");
            for text in &same {
                assert!(regex.is_match(text), "{boundary} is also {text}");
                assert_eq!(text.parse(), Ok(boundary), "{text}");
            }
            for text in others {
                assert!(!regex.is_match(text), "{boundary} is not {text}");
            }
        }
    }
}
