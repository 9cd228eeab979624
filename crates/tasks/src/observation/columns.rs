//! Finds the numbers that are seen among the columns of a table: by their names, of regions by their labels.

use super::error::ObservationError;

/// Where each of `outputs` stands among columns called `names`, and what is to be said where they were taken by their place.
///
/// # Errors
/// [`ObservationError::Columns`] where names are those of other numbers, or some are and some are not, or are times.
pub fn in_order(
    names: &[String],
    outputs: &[String],
    what: &str,
) -> Result<(Vec<usize>, Option<String>), ObservationError> {
    let by_place: Vec<usize> = (0..outputs.len()).collect();
    let wrong = |why: String| ObservationError::Columns { what: what.to_string(), why };
    let others = || wrong(format!("are {}, but its numbers are {}", listed(names), listed(outputs)));
    if outputs.len() <= 1 {
        return Ok((by_place, None));
    }
    if names.iter().any(|name| is_time(name) && !outputs.contains(name)) {
        let (own, wanted) = (listed(names), listed(outputs));
        return Err(wrong(format!(
            "are {own}, which look like times, but a row is a time, with its step in a column `step`, and a column is one of {wanted}"
        )));
    }
    if names.len() != outputs.len() {
        return Err(others());
    }
    // Where the numbers have labels, those of columns count whatever word stands before them.
    let labelled = outputs.iter().any(|output| label(output).is_some());
    let own: Vec<Option<f64>> =
        names.iter().map(|n| label(n).or_else(|| label_behind_a_word(n).filter(|_| labelled))).collect();
    let found: Vec<Vec<usize>> = outputs
        .iter()
        .map(|output| {
            let same = |place: &usize| {
                let labels = own[*place].zip(label(output));
                names[*place].trim() == output || labels.is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
            };
            by_place.iter().copied().filter(same).collect()
        })
        .collect();
    let mut order: Vec<usize> =
        found.iter().filter_map(|places| if let [one] = places[..] { Some(one) } else { None }).collect();
    let all = order.clone();
    order.sort_unstable();
    if order == by_place {
        return Ok((all, None));
    }
    if own.iter().any(Option::is_some) || found.iter().any(|places| !places.is_empty()) {
        return Err(others());
    }
    let said =
        format!("the columns {} of `{what}` were taken by their place as {}", listed(names), listed(outputs));
    Ok((by_place, Some(said)))
}

/// The number that a name is or ends with, as that of `region 2`.
fn label(name: &str) -> Option<f64> {
    let text = name.trim();
    let kinds = ["region ", "row ", "column "];
    let text = kinds.iter().find_map(|kind| text.strip_prefix(kind)).unwrap_or(text);
    // 0 and −0 are one label.
    text.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| x + 0.0)
}

/// A text up to its first digit, and the rest.
fn at_its_digits(text: &str) -> Option<(&str, &str)> {
    text.trim().find(|c: char| c.is_ascii_digit()).map(|at| text.trim().split_at(at))
}

/// The number that a name ends with, as that of `ward_2`.
fn label_behind_a_word(name: &str) -> Option<f64> {
    let (word, digits) = at_its_digits(name)?;
    digits.parse::<f64>().ok().filter(|x| x.is_finite() && word.ends_with(|c: char| !matches!(c, '.' | '+')))
}

/// Whether a name is a date or a clock time, or a number with a unit of time or a word for time: `2024-01-31`, `00:30`, `day 3`,
/// `t0`, `30 min`. A number alone is none.
fn is_time(name: &str) -> bool {
    const WORDS: [&str; 17] = [
        "t",
        "tp",
        "time",
        "timepoint",
        "date",
        "frame",
        "step",
        "ms",
        "sec",
        "second",
        "min",
        "minute",
        "hr",
        "hour",
        "day",
        "week",
        "month",
    ];
    let known = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
        let last = word.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        WORDS.contains(&last) || WORDS.contains(&last.trim_end_matches('s')) || last.starts_with("year")
    };
    let Some((word, digits)) = at_its_digits(name) else { return false };
    let unit = digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let apart =
        unit.starts_with(['-', '/', ':', '.']) && digits.chars().filter(char::is_ascii_digit).count() > 2;
    let stamp =
        word.is_empty() && apart && !unit.chars().any(|c| c.is_alphabetic() && !matches!(c, 'T' | 'Z'));
    let dotted = word.is_empty() && unit.is_empty() && digits.matches('.').count() == 2;
    let is_unit = known(unit) || matches!(unit.trim(), "s" | "h" | "d");
    stamp || dotted || (unit.is_empty() && known(word)) || (word.is_empty() && is_unit)
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(6).map(|n| format!("`{n}`")).collect();
    shown.extend((names.len() > 6).then(|| "…".to_string()));
    shown.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn labels_and_names_are_found_in_any_order() {
        let outputs = texts(&["region 0", "region 1", "region 2"]);
        for names in [["2", "0", "1"], ["region 2", "region 0", "region 1"], ["2.0", " 0", "region 1"]] {
            assert_eq!(in_order(&texts(&names), &outputs, "it").unwrap(), (vec![1, 2, 0], None));
        }
    }

    #[test]
    fn labels_count_whatever_word_stands_before_them() {
        let outputs = texts(&["region 0", "region 1", "region 2"]);
        for names in [["ward 2", "ward 0", "ward 1"], ["R2", "R0", "R1"], ["area_2", "area-0", "site#1"]] {
            assert_eq!(in_order(&texts(&names), &outputs, "it").unwrap(), (vec![1, 2, 0], None));
        }
        for names in [["ward 1", "ward 2", "ward 3"], ["R10", "R20", "R30"], ["ward 0", "ward 1", "north"]] {
            let found = in_order(&texts(&names), &outputs, "it").unwrap_err().to_string();
            assert!(found.contains("but its numbers are"), "{found}");
        }
        // Numbers without labels are named by words, of which the digits are a part.
        let outputs = texts(&["susceptible", "infected"]);
        let (order, said) = in_order(&texts(&["type 1", "type 2"]), &outputs, "it").unwrap();
        assert!(order == [0, 1] && said.unwrap().contains("by their place"));
    }

    /// A table on its side has a column for each time.
    #[test]
    fn times_are_no_names_of_numbers() {
        for names in [
            ["day 0", "day 1", "day 2"],
            ["day 1", "day 3", "day 5"],
            ["t0", "t30", "t60"],
            ["0 min", "30 min", "60 min"],
            ["0h", "6h", "12h"],
            ["00:00", "00:30", "01:00"],
            ["2024-01-31", "2024-02-01", "2024-02-02"],
            ["2024-01-31 00:00:00", "2024-02-01 00:00:00", "2024-02-02 00:00:00"],
            ["31.01.2024", "01.02.2024", "02.02.2024"],
            ["Week_1", "Week_2", "Week_4"],
        ] {
            for outputs in [["region 0", "region 1", "region 2"], ["ill", "well", "dead"]] {
                let found = in_order(&texts(&names), &texts(&outputs), "it").unwrap_err().to_string();
                assert!(found.contains("look like times") && found.contains(names[0]), "{found}");
            }
        }
        let outputs = texts(&["ill", "well"]);
        for names in [["north", "south"], ["CD4", "CD8"], ["x_um", "y_um"], ["first", "last"], ["CO2", "H2O"]]
        {
            assert!(in_order(&texts(&names), &outputs, "it").is_ok(), "{names:?}");
        }
        let own = texts(&["step 1", "step 2"]);
        assert_eq!(in_order(&own, &own, "it").unwrap(), (vec![0, 1], None));
    }

    #[test]
    fn other_names_are_taken_by_place_and_said() {
        let outputs = texts(&["region 0", "region 1"]);
        let (order, said) = in_order(&texts(&["north", "south"]), &outputs, "it").unwrap();
        assert_eq!(order, [0, 1]);
        assert!(said.unwrap().contains("`north`, `south` of `it` were taken by their place as `region 0`"));
    }

    #[test]
    fn labels_of_something_else_are_refused() {
        let outputs = texts(&["region 0", "region 1"]);
        for names in [&["1", "2"][..], &["0", "south"], &["10", "20"], &["0", "0"], &["0", "1", "2"]] {
            let found = in_order(&texts(names), &outputs, "it").unwrap_err().to_string();
            assert!(found.contains("but its numbers are `region 0`, `region 1`"), "{found}");
        }
    }
}
