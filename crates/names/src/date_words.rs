//! Finds words in the names of a folder's pictures that stand for numbers: months, halves of a day, days of the week.
//!
//! A word is taken for a month only where every name has exactly one. Months are known in English, German, French, Spanish,
//! Italian, Portuguese and Dutch.

/// What a number in a name is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Digits,
    /// The name of a month: 1 to 12.
    Month,
    /// am or pm: the hours that it adds, 0 or 12.
    HalfDay,
}

/// Which kinds of such words all names of a folder have.
pub(crate) struct DateWords {
    months: bool,
    halves: bool,
    /// Whether all names have a day of the week.
    pub(crate) days_of_week: bool,
}

impl DateWords {
    pub(crate) fn of(names: &[&str]) -> DateWords {
        let all = |is: &dyn Fn(&str) -> bool| {
            !names.is_empty() && names.iter().all(|name| words(name).filter(|word| is(word)).count() == 1)
        };
        let behind_digits = |name: &&str| {
            let end = name.trim_end().to_lowercase();
            let start = end.strip_suffix("am").or_else(|| end.strip_suffix("pm"));
            start.is_some_and(|start| {
                start.trim_end_matches([' ', '_', '-']).ends_with(|c: char| c.is_ascii_digit())
            })
        };
        let first = names.first().and_then(|name| words(name).find(|word| is_day_of_week(word)));
        let other = |name: &&str| words(name).any(|word| is_day_of_week(word) && Some(word) != first);
        DateWords {
            months: all(&|word| month(word).is_some()),
            halves: names.iter().all(behind_digits) && all(&|word| half(word).is_some()),
            // One word in all names is a name of something.
            days_of_week: all(&is_day_of_week) && names.iter().any(other),
        }
    }

    pub(crate) fn number(&self, word: &str) -> Option<(u64, Mark)> {
        let month = month(word).filter(|_| self.months).map(|month| (month, Mark::Month));
        month.or_else(|| half(word).filter(|_| self.halves).map(|hours| (hours, Mark::HalfDay)))
    }

    pub(crate) fn is_day_of_week(&self, word: &str) -> bool {
        self.days_of_week && is_day_of_week(word)
    }
}

/// The words of a name: runs of letters.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

fn half(word: &str) -> Option<u64> {
    match word.to_lowercase().as_str() {
        "am" => Some(0),
        "pm" => Some(12),
        _ => None,
    }
}

fn is_day_of_week(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const SHORT: [&str; 4] = ["tues", "wednes", "thur", "thurs"];
    let word = word.to_lowercase();
    DAYS.iter().any(|day| *day == word || day[..3] == word) || SHORT.contains(&word.as_str())
}

/// The number of a month by its name.
fn month(word: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "jan january januar janvier janv enero ene gennaio gen janeiro januari jaen jän jänner",
        "feb february februar février fevrier févr fevr fév febrero febbraio fevereiro fev februari",
        "mar march märz maerz mrz mär mars marzo março marco maart mrt",
        "apr april avril avr abril abr aprile",
        "may mai mayo maggio mag maio mei",
        "jun june juni juin junio giugno giu junho",
        "jul july juli juillet juil julio luglio lug julho",
        "aug august août aout aoû agosto ago augustus",
        "sep sept september septembre septiembre settembre set setembro",
        "oct october oktober okt octobre octubre ottobre ott outubro out",
        "nov november novembre noviembre novembro",
        "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro",
    ];
    let word = word.to_lowercase();
    let at = MONTHS.iter().position(|names| names.split(' ').any(|name| name == word))?;
    Some(at as u64 + 1)
}

/// The number that a word spells: Roman numerals, and small numbers in English and German.
pub(crate) fn spelled(word: &str) -> bool {
    const NUMBERS: &str = "zero one two three four five six seven eight nine ten eleven twelve null eins zwei drei vier fünf \
                           sechs sieben acht neun zehn elf zwölf first second third fourth fifth";
    let lower = word.to_lowercase();
    let roman = !word.is_empty() && lower.chars().all(|c| "ivxlcdm".contains(c));
    roman || NUMBERS.split_whitespace().any(|number| number == lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_where_all_names_have_one() {
        let words = DateWords::of(&["28Jan", "05_feb", "Mrz 1"]);
        assert_eq!(words.number("FEB"), Some((2, Mark::Month)));
        assert_eq!(DateWords::of(&["may_1", "tree_2"]).number("may"), None);
        assert_eq!(DateWords::of(&["10 am", "1pm"]).number("pm"), Some((12, Mark::HalfDay)));
        assert_eq!(DateWords::of(&["am_1", "am_2"]).number("am"), None);
        let days = DateWords::of(&["Mon 29", "Tue 30"]);
        assert!(days.is_day_of_week("Monday") && !DateWords::of(&["sun_1", "sun_2"]).is_day_of_week("sun"));
        assert!(spelled("VIII") && spelled("three") && !spelled("late"));
    }
}
