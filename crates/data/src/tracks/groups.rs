//! Keeps tracks apart whose ids recur in one table: under another condition, experiment, replicate, movie, file …
//!
//! Tables of several experiments number the tracks of each from 0. Joined by their ids alone they would be tracks that
//! jump from one experiment to the next. A column that a person names, or that is called like one of these, keeps them
//! apart; of any other column that could, it is said.

use super::columns::Places;
use super::face::Face;
use super::points::{Group, Groups, Point, Points};
use glauber_files::error::quoted;
use std::collections::{HashMap, HashSet};

/// Words in the names of columns that say where a track comes from.
const KNOWN: &str = "animal assay batch condition culture dataset dish donor embryo experiment exp field file \
                     filename fish fov group image mouse movie patient plate pos position recording rep replicate \
                     run sample scene series session site slide source stack subject tile treatment trial video well";

impl Groups {
    /// Those of a table with these columns.
    pub(super) fn of(names: &[String], places: &Places) -> Self {
        let other = |at: &usize| match places.group {
            Some(group) => *at == group,
            None => places.may_group(names, *at),
        };
        let group = |at: usize| Group {
            name: names[at].clone(),
            at,
            known: is_known(&names[at]),
            values: Vec::new(),
            numbers: HashMap::new(),
            of_point: Vec::new(),
        };
        Self { asked: places.group.is_some(), all: (0..names.len()).filter(other).map(group).collect() }
    }
}

/// Whether one of the words of a name says where a track comes from: `Movie`, `exp_id`, `FileName`, `Metadata_Well`.
fn is_known(name: &str) -> bool {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() && spaced.chars().last().is_some_and(char::is_lowercase) {
            spaced.push(' ');
        }
        spaced.push(c);
    }
    let plain = spaced.to_lowercase();
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    let known = |word: &str| KNOWN.split(' ').any(|own| own == word);
    let named = |word: &&str| known(word) || known(word.trim_end_matches('s'));
    words.iter().any(named) && !words.iter().any(|w| ["x", "y", "z", "t", "time", "frame"].contains(w))
}

/// How ids and the values of a column go together.
struct Recurrence {
    /// Ids under more than one value.
    ids: usize,
    /// Under every value they have two positions or more.
    lasting: bool,
    /// Most of what would be tracks has two positions or more.
    mostly_lasting: bool,
    /// No two positions of one id and value at one time.
    distinct: bool,
    /// The lines with one value follow one another.
    in_blocks: bool,
}

fn recurrence(points: &[Point], group: &Group) -> Recurrence {
    let mut counts: HashMap<usize, HashMap<u32, usize>> = HashMap::new();
    let mut at = HashSet::new();
    let mut distinct = true;
    for (point, value) in points.iter().zip(&group.of_point) {
        *counts.entry(point.track).or_default().entry(*value).or_insert(0) += 1;
        distinct &= at.insert((point.track, *value, point.time.to_bits()));
    }
    let several: Vec<_> = counts.values().filter(|values| values.len() > 1).collect();
    let short = several.iter().flat_map(|v| v.values()).filter(|count| **count < 2).count();
    let all = several.iter().map(|values| values.len()).sum::<usize>();
    let changes = group.of_point.windows(2).filter(|w| w[0] != w[1]).count();
    Recurrence {
        ids: several.len(),
        lasting: short == 0,
        mostly_lasting: 2 * short <= all,
        distinct,
        in_blocks: changes + 1 == group.of_point.iter().collect::<HashSet<_>>().len(),
    }
}

impl Points {
    /// Makes tracks of their own of ids that recur under another value of a column that says where they come from; says
    /// so, and which other columns could do the same.
    pub(super) fn keep_apart(&mut self, face: Face) {
        let groups = std::mem::take(&mut self.groups);
        let (mut used, mut could) = (Vec::new(), Vec::new());
        let ids = self.ids.len();
        for group in &groups.all {
            let found = recurrence(&self.points, group);
            if groups.asked || (found.ids > 0 && group.known && found.mostly_lasting) {
                used.extend((found.ids > 0).then_some(&group.name));
                self.split(group);
            } else if found.ids > 0 && (found.lasting || (found.mostly_lasting && found.in_blocks)) {
                could.push((&group.name, found.distinct));
            }
        }
        let tracks = self.ids.len();
        let list = |names: &[&String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        if !used.is_empty() {
            let note = format!(
                "ids of tracks recur under several values of {}, which kept them apart: {tracks} tracks of {ids} ids",
                list(&used)
            );
            self.notes.insert(0, note);
        }
        // Where tracks overlap, the error names the column; where they do not, they are joined, and it is said.
        self.telling = could.iter().find(|(_, distinct)| *distinct).map(|(name, _)| (*name).clone());
        let joined: Vec<&String> = could.iter().map(|(name, _)| *name).collect();
        if let Some(first) = joined.first() {
            let note = format!(
                "ids of tracks recur under several values of {}, and each id was read as one track; if these are \
                 different tracks, give {}",
                list(&joined),
                face.named_column("group", first)
            );
            self.notes.insert(0, note);
        }
    }

    /// Makes a track of every value of the column that an id has; they are called `value/id`.
    fn split(&mut self, group: &Group) {
        let mut number = HashMap::new();
        let mut ids: Vec<String> = Vec::new();
        for (point, value) in self.points.iter_mut().zip(&group.of_point) {
            let id = &self.ids[point.track];
            let name = || format!("{}/{id}", group.values[*value as usize]);
            point.track = *number.entry((point.track, *value)).or_insert_with(|| {
                ids.push(name());
                ids.len() - 1
            });
        }
        // A column that tells nothing new leaves the names as they are.
        if ids.len() > self.ids.len() {
            self.ids = ids;
        }
    }

    /// Leaves out the points of track −1, which many programs write for "no track", where no other id is negative.
    pub(super) fn leave_out_minus_one(&mut self) {
        let negative = |id: &String| glauber_files::number(id).filter(|n| *n < 0.0);
        let mut negatives = self.ids.iter().enumerate().filter_map(|(at, id)| Some((at, negative(id)?)));
        let (Some((none, value)), None) = (negatives.next(), negatives.next()) else { return };
        if (value + 1.0).abs() > 0.0 {
            return;
        }
        let kept: Vec<bool> = self.points.iter().map(|point| point.track != none).collect();
        let count = kept.iter().filter(|kept| !**kept).count();
        self.groups.retain(&kept);
        self.points.retain(|point| point.track != none);
        self.notes.insert(
            0,
            format!("{count} points of track {}, which stands for no track, were left out", self.ids[none]),
        );
    }
}
