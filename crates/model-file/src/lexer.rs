//! Cuts an expression into words, numbers and signs, each with its place.

use std::ops::Range;

use super::error::{Checked, problem};
use super::limits;
use super::syntax::Infix;

/// One piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Name(String),
    Infix(Infix),
    Not,
    Open,
    Close,
    Comma,
    End,
}

/// The pieces of `text`, each with its bytes counted from `base`; the last is [`Token::End`].
pub(crate) fn tokens(text: &str, base: usize) -> Checked<Vec<(Token, Range<usize>)>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        at += c.len_utf8();
        if c.is_whitespace() {
            continue;
        }
        let token =
            if c.is_ascii_digit() || (c == '.' && text[at..].starts_with(|d: char| d.is_ascii_digit())) {
                let length = number_length(&text[start..]);
                at = start + length;
                base_ten(&text[start..], length, base + start)?;
                number(&text[start..at], &(base + start..base + at))?
            } else if c.is_alphabetic() || c == '_' {
                let length = text[start..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
                at = length.map_or(text.len(), |l| start + l);
                word(&text[start..at], &(base + start..base + at))?
            } else {
                sign(c, text, &mut at, base)?
            };
        found.push((token, base + start..base + at));
    }
    found.push((Token::End, base + text.len()..base + text.len()));
    Ok(found)
}

/// How many bytes at the beginning of `text` are a number: digits, a point, an exponent.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length += 1 + digits(length + 1);
    }
    if text[length..].starts_with(['e', 'E']) {
        let signed = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + signed);
        if exponent > 0 {
            length += 1 + signed + exponent;
        }
    }
    length
}

/// Refuses what other languages take for one number, and would be two things here: `0x1`, `1_000`.
fn base_ten(text: &str, length: usize, base: usize) -> Checked<()> {
    let rest = &text[length..];
    let whole = length + rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let next = rest.chars().nth(1);
    let message = if text[..length] == *"0"
        && rest.starts_with(['x', 'X', 'b', 'B', 'o', 'O'])
        && next.is_some_and(|c| c.is_ascii_hexdigit())
    {
        "numbers of expressions are of base ten"
    } else if rest.starts_with('_') && next.is_some_and(|c| c.is_ascii_digit()) {
        "numbers of expressions are written without `_`"
    } else {
        return Ok(());
    };
    problem(&(base..base + whole), format!("`{}`: {message}", &text[..whole]))
}

fn number(text: &str, span: &Range<usize>) -> Checked<Token> {
    match text.parse::<f64>() {
        Ok(_) if is_lost(text) => {
            problem(span, format!("`{text}` is too small for a number, and would be 0"))
        }
        Ok(value) if value.is_finite() => Ok(Token::Number(value)),
        _ => problem(span, format!("`{text}` is no finite number")),
    }
}

/// Whether a number that is not 0 as it is written is 0 as it is read.
pub(crate) fn is_lost(text: &str) -> bool {
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) && text.parse::<f64>().is_ok_and(|x| x == 0.0)
}

fn word(text: &str, span: &Range<usize>) -> Checked<Token> {
    if text.chars().count() > limits::NAME {
        return problem(span, format!("a name has at most {} characters", limits::NAME));
    }
    Ok(match text {
        "and" => Token::Infix(Infix::And),
        "or" => Token::Infix(Infix::Or),
        "not" => Token::Not,
        _ => Token::Name(text.to_string()),
    })
}

fn sign(c: char, text: &str, at: &mut usize, base: usize) -> Checked<Token> {
    let start = base + *at - c.len_utf8();
    let mut followed_by = |next: char| {
        let follows = text[*at..].starts_with(next);
        *at += if follows { next.len_utf8() } else { 0 };
        follows
    };
    let infix = match c {
        '(' => return Ok(Token::Open),
        ')' => return Ok(Token::Close),
        ',' => return Ok(Token::Comma),
        '+' => Infix::Add,
        '-' | '−' => Infix::Subtract,
        '*' if followed_by('*') => return problem(&(start..base + *at), "write `^` for powers"),
        '*' | '·' => Infix::Multiply,
        '/' => Infix::Divide,
        '^' => Infix::Power,
        '<' if followed_by('=') => Infix::AtMost,
        '<' => Infix::Less,
        '>' if followed_by('=') => Infix::AtLeast,
        '>' => Infix::Greater,
        '=' if followed_by('=') => Infix::Equal,
        '=' => return problem(&(start..base + *at), "write `==` to compare"),
        '!' if followed_by('=') => Infix::Unequal,
        '!' => return problem(&(start..base + *at), "write `not`, or `!=` to compare"),
        '&' => return problem(&(start..base + *at), "write `and`"),
        '|' => return problem(&(start..base + *at), "write `or`"),
        _ => {
            let message = format!("`{}` has no meaning in an expression", c.escape_debug());
            return problem(&(start..base + *at), message);
        }
    };
    Ok(Token::Infix(infix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text, 0).unwrap().into_iter().map(|t| t.0).collect()
    }

    #[test]
    fn numbers_end_where_they_end() {
        for (text, value) in [("1", 1.0), ("1.5", 1.5), (".5", 0.5), ("1e-3", 1e-3), ("2.E+2", 200.0)] {
            assert_eq!(kinds(text), [Token::Number(value), Token::End]);
        }
        // An `e` without digits is a name of its own.
        assert_eq!(kinds("2e").len(), 3);
        assert!(tokens("1e999", 0).is_err());
        for (text, advice) in
            [("0x1*b", "`0x1`: numbers of expressions are of base ten"), ("2 * 1_000", "without `_`")]
        {
            let error = tokens(text, 0).unwrap_err();
            assert!(error.message.contains(advice), "{text}: {}", error.message);
        }
        // A name may follow, to be told that a sign is missing.
        assert_eq!(kinds("2b").len(), 3);
    }

    #[test]
    fn signs_are_told_apart() {
        use Infix::*;
        let infix = |i| Token::Infix(i);
        assert_eq!(
            kinds("<<= > >= == != ^ -"),
            [Less, AtMost, Greater, AtLeast, Equal, Unequal, Power, Subtract]
                .map(infix)
                .into_iter()
                .chain([Token::End])
                .collect::<Vec<_>>()
        );
        for (text, advice) in
            [("a = b", "=="), ("a && b", "and"), ("a ** b", "^"), ("!a", "not"), ("a # b", "#")]
        {
            assert!(tokens(text, 0).unwrap_err().message.contains(advice), "{text}");
        }
    }

    #[test]
    fn names_may_be_of_any_script() {
        assert_eq!(kinds("β_1"), [Token::Name("β_1".into()), Token::End]);
        assert_eq!(tokens("β x", 10).unwrap()[1].1, 13..14);
    }
}
