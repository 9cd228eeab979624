//! Writes the text of an SVG picture: elements, attributes, escaped words, colours for light and dark.
//!
//! Every coloured element carries its light colour as a plain attribute, which every program that reads SVG
//! understands, and its dark colour as a custom property, which the few rules of [`STYLE`] put in its place
//! where the reader asks for dark pages.

use crate::colour::Ink;

/// The rules that turn a picture dark; the HTML page carries them once for all its pictures.
pub(crate) const STYLE: &str =
    "@media (prefers-color-scheme:dark){.gl-s{stroke:var(--s)}.gl-f{fill:var(--f)}}";

/// The fonts of all pictures, nearest first.
pub(crate) const FONTS: &str =
    "system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'Liberation Sans','DejaVu Sans',sans-serif";

/// `text` with the characters that mean something in XML and HTML replaced, and those that XML forbids dropped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A length in user units, to a hundredth, as short as it goes.
pub(crate) fn px(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    // No "-0" in the file.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// The standard base64 (RFC 4648, with padding) of `bytes`, as a `data:` address needs it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit <= three.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// The text of a picture as it grows.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    text: String,
    open: Vec<&'static str>,
}

impl Svg {
    /// Opens an element; its attributes follow.
    pub(crate) fn open(&mut self, tag: &'static str) -> Attributes<'_> {
        self.open.push(tag);
        Attributes::of(self, tag, ">")
    }

    /// Closes the element opened last.
    pub(crate) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(tag);
            self.text.push('>');
            if matches!(tag, "g" | "svg" | "text") {
                self.text.push('\n');
            }
        }
    }

    /// Writes an element without content.
    pub(crate) fn empty(&mut self, tag: &'static str) -> Attributes<'_> {
        Attributes::of(self, tag, "/>\n")
    }

    /// Writes words, escaped.
    pub(crate) fn words(&mut self, words: &str) {
        self.text.push_str(&escape(words));
    }

    /// Writes text that is SVG already.
    pub(crate) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes a hint that browsers show over the element opened last, and that screen readers read.
    pub(crate) fn title(&mut self, words: &str) {
        self.raw("<title>");
        self.words(words);
        self.raw("</title>");
    }

    /// The finished text; what is still open is closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }
}

/// The attributes of one element; the element is complete when this is dropped.
pub(crate) struct Attributes<'a> {
    svg: &'a mut Svg,
    class: &'static str,
    style: String,
    end: &'static str,
}

impl<'a> Attributes<'a> {
    fn of(svg: &'a mut Svg, tag: &str, end: &'static str) -> Self {
        svg.text.push('<');
        svg.text.push_str(tag);
        Self { svg, class: "", style: String::new(), end }
    }

    /// An attribute whose value is words.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let text = &mut self.svg.text;
        text.push(' ');
        text.push_str(name);
        text.push_str("=\"");
        text.push_str(&escape(value));
        text.push('"');
        self
    }

    /// An attribute whose value is a length.
    pub(crate) fn px(self, name: &str, value: f64) -> Self {
        self.with(name, &px(value))
    }

    /// The colour of the line.
    pub(crate) fn stroke(mut self, ink: Ink) -> Self {
        self.class = if self.class.is_empty() { "gl-s" } else { "gl-s gl-f" };
        self.style.push_str(&format!("--s:{};", ink.dark));
        self.with("stroke", &ink.light.to_string())
    }

    /// The colour of the area, or of the letters.
    pub(crate) fn fill(mut self, ink: Ink) -> Self {
        self.class = if self.class.is_empty() { "gl-f" } else { "gl-s gl-f" };
        self.style.push_str(&format!("--f:{};", ink.dark));
        self.with("fill", &ink.light.to_string())
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        if !self.class.is_empty() {
            let text = format!(" class=\"{}\" style=\"{}\"", self.class, self.style.trim_end_matches(';'));
            self.svg.text.push_str(&text);
        }
        self.svg.text.push_str(self.end);
    }
}

/// An estimate of the width of `text` in a sans-serif font of the given size, on the wide side.
///
/// The font that will be used is not known here. The widths are those of the wider of the usual fonts, by
/// classes of letters, so that what is laid out by them does not overlap.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '\u{2009}' => 0.30,
            ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '"' => 0.38,
            '⁰' | '¹' | '²' | '³' | '⁴' | '⁵' | '⁶' | '⁷' | '⁸' | '⁹' | '⁻' => 0.40,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' => 0.92,
            '0'..='9' | 'a'..='z' | 'α'..='ω' => 0.60,
            '\u{300}'..='\u{36f}' => 0.0,
            '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffef}' | '\u{1f000}'.. => 1.05,
            'A'..='Z' => 0.70,
            _ => 0.66,
        })
        .sum();
    em * size
}

/// `text` in lines no wider than `width`, broken at spaces; a word wider than that is cut with "…".
pub(crate) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shortened(word, size, width);
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// `text`, cut with "…" where it is wider than `width`.
pub(crate) fn shortened(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = text_width("…", size);
    for character in text.chars() {
        used += text_width(character.encode_utf8(&mut [0; 4]), size);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<b> & \"x\" 'y'"), "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;");
        assert_eq!(escape("a\u{0}b\u{1b}c"), "a\u{fffd}b\u{fffd}c");
        let mut svg = Svg::default();
        svg.open("text").with("id", "\" onload=\"x").px("x", -0.001);
        svg.words("</text><script>");
        assert_eq!(
            svg.finish(),
            "<text id=\"&quot; onload=&quot;x\" x=\"0\">&lt;/text&gt;&lt;script&gt;</text>\n"
        );
    }

    #[test]
    fn base64_matches_the_examples_of_rfc_4648() {
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, text) in expected.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), *text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn long_words_are_wrapped_or_cut() {
        let lines = wrapped("the quick brown fox jumps over the lazy dog", 12.0, 90.0);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| text_width(line, 12.0) <= 90.0));
        assert_eq!(lines.join(" "), "the quick brown fox jumps over the lazy dog");
        let cut = shortened(&"x".repeat(500), 12.0, 50.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) <= 50.0);
        assert!(wrapped("", 12.0, 90.0).is_empty());
    }
}
