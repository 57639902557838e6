//! Beside which line a comment stands. A layout moves comments between two blocks to where it guesses that they belong; here each keeps the indent of the
//! line that it was written beside: of the next one, as above a key, else of the block that it ends.

use std::sync::Arc;

use super::{
    diagnostic::{Diagnostic, Source},
    yaml::{self, Marks},
};

/// The laid out text with the comments that stand alone on their lines moved to the indents of what they stood beside before.
///
/// # Errors
/// The place where one of both stops being well-formed YAML.
pub(super) fn in_place(before: &Arc<Source>, after: &Arc<Source>) -> Result<String, Box<Diagnostic>> {
    let (told, tells) = (yaml::marks(before)?, yaml::marks(after)?);
    let mut text = after.text().to_owned();
    if told.comments.len() != tells.comments.len() {
        return Ok(text);
    }
    let (lines, laid_out) = (Lines::of(before.text()), Lines::of(after.text()));
    // From the last, so that those before keep their places.
    for ((was, _), (is, _)) in told.comments.iter().zip(&tells.comments).rev() {
        let (Some(was), Some(is)) = (lines.alone(*was), laid_out.alone(*is)) else { continue };
        let beside = lines.beside(was, &told).and_then(|scalar| tells.scalars.get(scalar));
        let Some(line) = beside.map(|start| laid_out.at(*start)).filter(|line| laid_out.first(*line, &tells) == beside) else { continue };
        let start = laid_out.starts[is];
        text.replace_range(start..start + laid_out.indent(is), &" ".repeat(laid_out.indent(line)));
    }
    Ok(text)
}

/// The lines of a text.
struct Lines<'t> {
    texts: Vec<&'t str>,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let texts: Vec<&str> = text.split_inclusive('\n').collect();
        let ends = texts.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        let starts = std::iter::once(0).chain(ends).take(texts.len()).collect();
        Self { texts, starts }
    }

    /// The line of a byte.
    fn at(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    fn indent(&self, line: usize) -> usize {
        self.texts[line].len() - self.texts[line].trim_start_matches(' ').len()
    }

    /// The line of a comment that has it for itself.
    fn alone(&self, comment: usize) -> Option<usize> {
        let line = self.at(comment);
        self.texts.get(line)?.trim_start().starts_with('#').then_some(line)
    }

    fn says_something(&self, line: usize) -> bool {
        let text = self.texts[line].trim();
        !text.is_empty() && !text.starts_with('#')
    }

    /// Where the first scalar of a line begins.
    fn first<'m>(&self, line: usize, marks: &'m Marks) -> Option<&'m usize> {
        self.scalar(line, marks).and_then(|scalar| marks.scalars.get(scalar))
    }

    fn scalar(&self, line: usize, marks: &Marks) -> Option<usize> {
        let scalar = marks.scalars.partition_point(|start| *start < self.starts[line]);
        marks.scalars.get(scalar).filter(|start| self.at(**start) == line).map(|_| scalar)
    }

    /// The first scalar of the line that a comment stands beside, by its number.
    fn beside(&self, comment: usize, marks: &Marks) -> Option<usize> {
        let indent = self.indent(comment);
        let next = (comment + 1..self.texts.len()).find(|line| self.says_something(*line));
        if let Some(next) = next.filter(|next| self.indent(*next) == indent) {
            return self.scalar(next, marks);
        }
        let before = (0..comment).rev().filter(|line| self.says_something(*line)).find(|line| self.indent(*line) <= indent)?;
        self.scalar(before, marks).filter(|_| self.indent(before) == indent)
    }
}
