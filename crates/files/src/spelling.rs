//! Finds the right name nearest to a wrong one.

/// The candidate nearest to `name`, where one is near enough to be what was meant.
///
/// ```
/// use glauber_files::spelling::nearest;
/// assert_eq!(nearest("learning_rate", ["learning-rate", "steps"]), Some("learning-rate"));
/// assert_eq!(nearest("zebra", ["learning-rate", "steps"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names longer than this are no slip of the pen, and the distance costs the product of the lengths.
    const LONGEST: usize = 100;
    if name.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let meant = plain(name);
    let scored = candidates.into_iter().map(|candidate| {
        let other = plain(candidate);
        let likeness = strsim::normalized_damerau_levenshtein(&meant, &other);
        let part = meant.len() >= 3 && (other.contains(&meant) || meant.contains(&other) && other.len() >= 3);
        (candidate, if part { likeness.max(0.6) } else { likeness })
    });
    let best = scored.fold(None, |best: Option<(&str, f64)>, (candidate, likeness)| match best {
        Some((_, most)) if most >= likeness => best,
        _ => Some((candidate, likeness)),
    });
    best.filter(|(_, likeness)| *likeness >= 0.55).map(|(candidate, _)| candidate)
}

/// The end of an error's sentence: `: did you mean …?`, or the whole list where nothing is near and it is short.
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!(": did you mean `{near}`?"),
        None if candidates.is_empty() => String::new(),
        None => {
            const MOST: usize = 24;
            let shown: Vec<String> = candidates.iter().take(MOST).map(|c| format!("`{c}`")).collect();
            let more = if candidates.len() > MOST { ", …" } else { "" };
            format!("; there is {}{more}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_mended_and_nonsense_is_not() {
        let names = ["susceptible-infected", "persistent-random-walk", "malevanets-kapral"];
        assert_eq!(nearest("suseptible-infected", names), Some("susceptible-infected"));
        assert_eq!(nearest("Persistent_Random_Walk", names), Some("persistent-random-walk"));
        assert_eq!(nearest("kapral", names), Some("malevanets-kapral"));
        assert_eq!(nearest("xyz", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"a".repeat(1_000_000), names), None);
    }

    #[test]
    fn a_suggestion_lists_what_there_is_where_nothing_is_near() {
        assert_eq!(suggestion("q", ["adam", "sgd"]), "; there is `adam`, `sgd`");
        assert_eq!(suggestion("adm", ["adam", "sgd"]), ": did you mean `adam`?");
        assert_eq!(suggestion("q", []), "");
    }
}
