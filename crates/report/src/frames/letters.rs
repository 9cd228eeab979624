//! Draws letters into pictures of few pixels: five pixels wide, nine high, drawn for this project in `letters.txt`.

/// Pixels of a letter across, and of the letter with the gap after it.
const ACROSS: usize = 5;
/// How far the next letter begins from this one.
pub(crate) const ADVANCE: usize = ACROSS + 1;
/// Pixels of a letter down; the last two hold what hangs below the line.
pub(crate) const DOWN: usize = 9;

/// The 96 characters from the blank on, 16 in a band: a line of the file is a row of pixels of a band. The last is a box,
/// for what has no letter.
const DRAWN: &str = include_str!("letters.txt");
const BAND: usize = 16;
const LINE: usize = BAND * ADVANCE;
const BOX: usize = 95;

/// Whether a pixel of a letter is inked; `row` and `column` count from its upper left.
pub(crate) fn inked(letter: char, row: usize, column: usize) -> bool {
    let place = place_of(letter);
    let at = (place / BAND * DOWN + row) * LINE + place % BAND * ADVANCE + column;
    row < DOWN && column < ACROSS && DRAWN.as_bytes().get(at) == Some(&b'#')
}

/// Pixels across of a text, without the gap after its last letter.
pub(crate) fn width_of(text: &str) -> usize {
    (text.chars().count() * ADVANCE).saturating_sub(1)
}

/// The text, or its beginning with two dots where it is longer than so many letters.
pub(crate) fn within(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_string();
    }
    text.chars().take(letters.saturating_sub(2)).chain("..".chars()).take(letters).collect()
}

fn place_of(letter: char) -> usize {
    let plain = plain(letter);
    if (' '..='~').contains(&plain) { plain as usize - ' ' as usize } else { BOX }
}

/// A letter without its accent, a sign as the nearest there is.
fn plain(letter: char) -> char {
    const ALIKE: [(&str, char); 26] = [
        ("ÀÁÂÃÄÅĀĂĄ", 'A'),
        ("ÇĆČ", 'C'),
        ("ĎĐ", 'D'),
        ("ÈÉÊËĒĘĚ", 'E'),
        ("ĞĠ", 'G'),
        ("ÌÍÎÏĪİ", 'I'),
        ("ŁĽ", 'L'),
        ("ÑŃŇ", 'N'),
        ("ÒÓÔÕÖØŌŐ", 'O'),
        ("ŘŔ", 'R'),
        ("ŚŞŠ", 'S'),
        ("ÙÚÛÜŪŮŰ", 'U'),
        ("ÝŸ", 'Y'),
        ("ŹŻŽ", 'Z'),
        ("àáâãäåāăą", 'a'),
        ("çćč", 'c'),
        ("ďđ", 'd'),
        ("èéêëēęě", 'e'),
        ("ğġ", 'g'),
        ("ìíîïīı", 'i'),
        ("łľ", 'l'),
        ("ñńň", 'n'),
        ("òóôõöøōő", 'o'),
        ("śşš", 's'),
        ("ùúûüūůű", 'u'),
        ("\u{2010}\u{2011}\u{2012}–—−", '-'),
    ];
    ALIKE.iter().find(|(all, _)| all.contains(letter)).map_or(letter, |(_, plain)| *plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_differs_from_every_other() {
        let drawn = |letter: char| -> Vec<bool> {
            (0..DOWN).flat_map(|row| (0..ACROSS).map(move |column| inked(letter, row, column))).collect()
        };
        let all: Vec<char> = (' '..='~').chain(['\u{7f}']).collect();
        assert_eq!(DRAWN.len(), 6 * DOWN * LINE);
        for (i, a) in all.iter().enumerate() {
            assert_eq!(drawn(*a).iter().all(|p| !p), *a == ' ', "{a:?}");
            for b in &all[..i] {
                assert_ne!(drawn(*a), drawn(*b), "{a:?} and {b:?}");
            }
        }
        assert_eq!(drawn('é'), drawn('e'));
        assert_eq!(drawn('森'), drawn('\u{7f}'));
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(within("susceptible", 11), "susceptible");
        assert_eq!(within("susceptible", 7), "susce..");
        assert_eq!(within("susceptible", 1), ".");
        assert_eq!(width_of("ab"), 11);
    }
}
