//! Writes the page's tables: plain ones, and the table of claims with its verdicts.

use crate::progress::in_time;
use crate::svg::escape;

/// A table of words and numbers; a column of numbers is set flush right.
#[derive(Debug, Clone, Default)]
pub struct Table {
    caption: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with the given names of columns.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Says above the table what it shows.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Adds a row; missing cells are empty, and cells beyond the last column get one without a name.
    pub fn row<S: Into<String>>(mut self, cells: impl IntoIterator<Item = S>) -> Self {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        if cells.len() > self.head.len() {
            self.head.resize(cells.len(), String::new());
        }
        self.rows.push(cells);
        self
    }

    pub(crate) fn to_html(&self) -> String {
        let numeric: Vec<bool> = (0..self.head.len()).map(|column| self.is_numeric(column)).collect();
        let class = |column: usize| if numeric[column] { " class=\"number\"" } else { "" };
        let mut html = String::from("<table>");
        if !self.caption.is_empty() {
            html.push_str(&format!("<caption>{}</caption>", escape(&self.caption)));
        }
        html.push_str("<thead><tr>");
        for (column, name) in self.head.iter().enumerate() {
            html.push_str(&format!("<th scope=\"col\"{}>{}</th>", class(column), escape(name)));
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (column, name) in self.head.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                let label = label(name);
                html.push_str(&format!("<td{}{label}>{}</td>", class(column), escape(cell)));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table>\n");
        html
    }

    /// Whether every cell of the column that is not empty begins like a number.
    fn is_numeric(&self, column: usize) -> bool {
        let mut cells =
            self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        let begins = |cell: &String| {
            cell.trim_start_matches(['-', '−', '+', '±', '<', '>', '≈', ' '])
                .starts_with(|c: char| c.is_ascii_digit())
        };
        cells.peek().is_some() && cells.all(begins)
    }
}

/// The attribute by which a narrow page names a cell.
fn label(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" data-label=\"{}\"", escape(name)) }
}

/// Whether a claim held, computed by the caller from numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It holds in substance, with a difference that the note names.
    HoldsWithDifference,
    /// It does not hold.
    DoesNotHold,
    /// It was not measured (data absent, shortened run).
    NotTested,
}

impl Verdict {
    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::HoldsWithDifference => "holds with a difference",
            Self::DoesNotHold => "does not hold",
            Self::NotTested => "not tested",
        }
    }

    /// The sign before the words, so that the verdict does not rest on colour alone.
    fn sign(self) -> char {
        match self {
            Self::Holds => '✓',
            Self::HoldsWithDifference => '≈',
            Self::DoesNotHold => '✗',
            Self::NotTested => '–',
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::HoldsWithDifference => "differs",
            Self::DoesNotHold => "fails",
            Self::NotTested => "untested",
        }
    }
}

/// One claim, what it says, what was measured and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What is claimed, in a few words.
    pub claim: String,
    /// What the source says.
    pub said: String,
    /// What was measured, with its uncertainty.
    pub measured: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// The reason for a difference, or empty.
    pub note: String,
    /// How long the measurement took, in seconds.
    pub seconds: Option<f64>,
}

/// The table of claims, with their count by verdict above it.
pub(crate) fn claims_to_html(claims: &[Claim]) -> String {
    let mut html = format!("<p class=\"count\">{}</p><table><thead><tr>", escape(&count(claims)));
    let names = ["Claim", "Said", "Measured", "Verdict", "Time"];
    for name in names {
        html.push_str(&format!("<th scope=\"col\">{name}</th>"));
    }
    html.push_str("</tr></thead><tbody>\n");
    for claim in claims {
        let verdict = claim.verdict;
        let note = match claim.note.as_str() {
            "" => String::new(),
            note => format!("<span class=\"note\">{}</span>", escape(note)),
        };
        let verdict = format!(
            "<span class=\"verdict {}\">{} {}</span>",
            verdict.class(),
            verdict.sign(),
            verdict.words()
        );
        let time = claim.seconds.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
        let cells = [
            escape(&claim.claim),
            escape(&claim.said),
            escape(&claim.measured) + &note,
            verdict,
            time.map(in_time).unwrap_or_default(),
        ];
        html.push_str("<tr>");
        for (name, cell) in names.iter().zip(cells) {
            let class = if *name == "Time" { " class=\"time\"" } else { "" };
            html.push_str(&format!("<td{class} data-label=\"{name}\">{cell}</td>"));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table>\n");
    html
}

/// "12 claims: 9 hold, 2 hold with a difference, 1 does not hold."
fn count(claims: &[Claim]) -> String {
    let of = |verdict: Verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
    let parts: Vec<String> = [
        (Verdict::Holds, "holds", "hold"),
        (Verdict::HoldsWithDifference, "holds with a difference", "hold with a difference"),
        (Verdict::DoesNotHold, "does not hold", "do not hold"),
        (Verdict::NotTested, "was not tested", "were not tested"),
    ]
    .into_iter()
    .filter_map(|(verdict, one, many)| match of(verdict) {
        0 => None,
        1 => Some(format!("1 {one}")),
        found => Some(format!("{found} {many}")),
    })
    .collect();
    match claims.len() {
        0 => "No claims.".to_owned(),
        1 => format!("1 claim: {}.", parts.join(", ")),
        all => format!("{all} claims: {}.", parts.join(", ")),
    }
}
