//! Finds the numbers that are seen among the columns of a table: by their names, of regions by their labels.

use super::error::ObservationError;

/// Where each of `outputs` stands among columns called `names`, and what is to be said where they were taken by their place.
///
/// # Errors
/// [`ObservationError::Columns`] where names are those of other numbers, or some are and some are not.
pub fn in_order(
    names: &[String],
    outputs: &[String],
    what: &str,
) -> Result<(Vec<usize>, Option<String>), ObservationError> {
    let by_place: Vec<usize> = (0..outputs.len()).collect();
    let others = || {
        let why = format!("are {}, but its numbers are {}", listed(names), listed(outputs));
        ObservationError::Columns { what: what.to_string(), why }
    };
    if outputs.len() <= 1 {
        return Ok((by_place, None));
    }
    if names.len() != outputs.len() {
        return Err(others());
    }
    let own: Vec<Option<f64>> = names.iter().map(|n| label(n)).collect();
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
