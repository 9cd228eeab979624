//! Reads an expression: what is on the page becomes a tree.
//!
//! Grammar, weakest binding first: `or`; `and`; `not`; one comparison; `+ -`; `* /`; a sign; `^` (from the right);
//! a number, a name, `name(arguments)`, `(expression)`. Read by precedence climbing (Pratt 1973), with the nesting and
//! the height of the tree bounded, so that no text can exhaust the stack.

use std::ops::Range;

use super::error::{Checked, problem};
use super::lexer::{Token, tokens};
use super::limits;
use super::syntax::{Infix, Kind, NOT_STRENGTH, Node, SIGN_STRENGTH};

/// The tree of an expression that stands at byte `base` of its file.
pub(crate) fn parse(text: &str, base: usize) -> Checked<Node> {
    let tokens = tokens(text, base)?;
    let mut parser = Parser { tokens, place: 0, nesting: 0 };
    if *parser.peek() == Token::End {
        return problem(&(base..base + text.len()), "an expression is wanted here");
    }
    let node = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        Token::Close => problem(&parser.span(), "this `)` closes nothing"),
        _ => problem(&parser.span(), "the expression should end here: a sign such as + or * is missing"),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    place: usize,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.place].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.place].1.clone()
    }

    /// Takes the next piece; the end is never passed.
    fn take(&mut self) -> (Token, Range<usize>) {
        let token = self.tokens[self.place].clone();
        self.place = (self.place + 1).min(self.tokens.len() - 1);
        token
    }

    /// An expression of signs that bind at least as strongly as `weakest`.
    fn expression(&mut self, weakest: u8) -> Checked<Node> {
        self.nesting += 1;
        if self.nesting > limits::NESTING {
            let message =
                format!("more than {} levels of brackets: name parts in [definitions]", limits::NESTING);
            return problem(&self.span(), message);
        }
        let mut left = self.operand()?;
        while let Token::Infix(infix) = *self.peek() {
            let (own, right) = infix.strength();
            if own < weakest {
                break;
            }
            self.check_chain(infix, &left)?;
            self.take();
            let operand = self.expression(right)?;
            let span = left.span.start..operand.span.end;
            let depth = left.depth.max(operand.depth) + 1;
            left =
                bounded(Node { kind: Kind::Infix(infix, Box::new(left), Box::new(operand)), span, depth })?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    /// Refuses a < b < c, which means something else on paper.
    fn check_chain(&self, infix: Infix, left: &Node) -> Checked<()> {
        let chained = matches!(&left.kind, Kind::Infix(i, ..) if i.is_comparison());
        let in_brackets = self.tokens[self.place - 1].1.end > left.span.end;
        if infix.is_comparison() && chained && !in_brackets {
            return problem(&self.span(), "comparisons do not chain: write `a < b and b < c`");
        }
        Ok(())
    }

    fn operand(&mut self) -> Checked<Node> {
        let (token, span) = self.take();
        match token {
            Token::Number(value) => Ok(Node::number(value, span)),
            Token::Name(name) if *self.peek() == Token::Open => self.call(name, span),
            Token::Name(name) => Ok(Node { kind: Kind::Name(name), span, depth: 1 }),
            Token::Open => {
                let inner = self.expression(0)?;
                self.close(&span)?;
                Ok(inner)
            }
            Token::Infix(Infix::Subtract) => {
                let operand = self.expression(SIGN_STRENGTH)?;
                self.prefixed(span, operand, Kind::Negate)
            }
            Token::Infix(Infix::Add) => self.expression(SIGN_STRENGTH),
            Token::Not => {
                let operand = self.expression(NOT_STRENGTH)?;
                self.prefixed(span, operand, Kind::Not)
            }
            Token::End => problem(&span, "the expression breaks off: an operand is missing"),
            _ => problem(&span, "a number, a name or `(` is wanted here"),
        }
    }

    fn prefixed(&self, sign: Range<usize>, operand: Node, kind: fn(Box<Node>) -> Kind) -> Checked<Node> {
        let (span, depth) = (sign.start..operand.span.end, operand.depth + 1);
        bounded(Node { kind: kind(Box::new(operand)), span, depth })
    }

    fn call(&mut self, name: String, span: Range<usize>) -> Checked<Node> {
        let (_, open) = self.take();
        let mut arguments = Vec::new();
        if *self.peek() != Token::Close {
            arguments.push(self.expression(0)?);
            while *self.peek() == Token::Comma {
                self.take();
                arguments.push(self.expression(0)?);
            }
        }
        let end = self.close(&open)?;
        let depth = arguments.iter().map(|a| a.depth).max().unwrap_or(0) + 1;
        bounded(Node { kind: Kind::Call(name, arguments), span: span.start..end, depth })
    }

    fn close(&mut self, open: &Range<usize>) -> Checked<usize> {
        match self.take() {
            (Token::Close, span) => Ok(span.end),
            (Token::End, _) => problem(open, "this `(` is never closed"),
            (_, span) => problem(&span, "`,` or `)` is wanted here"),
        }
    }
}

fn bounded(node: Node) -> Checked<Node> {
    if node.depth > limits::DEPTH {
        let message = format!("more than {} operations in a row: name parts in [definitions]", limits::DEPTH);
        return problem(&node.span, message);
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree written with brackets around everything.
    fn shown(node: &Node) -> String {
        match &node.kind {
            Kind::Number(x) => format!("{x}"),
            Kind::Name(name) => name.clone(),
            Kind::Negate(a) => format!("(-{})", shown(a)),
            Kind::Not(a) => format!("(not {})", shown(a)),
            Kind::Infix(i, a, b) => format!("({} {i:?} {})", shown(a), shown(b)),
            Kind::Call(name, arguments) => {
                format!("{name}({})", arguments.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn tree(text: &str) -> String {
        shown(&parse(text, 0).unwrap())
    }

    #[test]
    fn signs_bind_as_on_paper() {
        assert_eq!(tree("1 - (1 - b)^count(a)"), "(1 Subtract ((1 Subtract b) Power count(a)))");
        assert_eq!(tree("a - b - c"), "((a Subtract b) Subtract c)");
        assert_eq!(tree("2^3^2"), "(2 Power (3 Power 2))");
        assert_eq!(tree("-x^2"), "(-(x Power 2))");
        assert_eq!(tree("2^-x * 3"), "((2 Power (-x)) Multiply 3)");
        assert_eq!(tree("-a + b"), "((-a) Add b)");
        assert_eq!(tree("a < b and not c == d or e"), "(((a Less b) And (not (c Equal d))) Or e)");
        assert_eq!(tree("a + b < c * d"), "((a Add b) Less (c Multiply d))");
        assert_eq!(tree("(a < b) == c"), "((a Less b) Equal c)");
        assert_eq!(tree("if(a, min(b, c), 2.5)"), "if(a, min(b, c), 2.5)");
    }

    #[test]
    fn mistakes_are_named_where_they_are() {
        for (text, at, advice) in [
            ("(a + b", 0..1, "never closed"),
            ("a + b)", 5..6, "closes nothing"),
            ("a +", 3..3, "breaks off"),
            ("a b", 2..3, "should end here"),
            ("f(a b)", 4..5, "`,` or `)`"),
            ("a < b < c", 6..7, "do not chain"),
            ("a < f(b) < c", 9..10, "do not chain"),
            ("", 0..0, "expression is wanted"),
            ("*a", 0..1, "is wanted here"),
        ] {
            let found = parse(text, 0).unwrap_err();
            assert_eq!(found.span, at, "{text}: {}", found.message);
            assert!(found.message.contains(advice), "{text}: {}", found.message);
        }
    }

    #[test]
    fn depth_is_bounded() {
        for text in ["(".repeat(100_000), "-".repeat(100_000), "not ".repeat(10_000), "f(".repeat(50_000)] {
            assert!(parse(&text, 0).unwrap_err().message.contains("levels"), "{}", &text[..4]);
        }
        let sum = vec!["a"; 50_000].join("+");
        assert!(parse(&sum, 0).unwrap_err().message.contains("in a row"));
        let power = vec!["a"; 50_000].join("^");
        assert!(parse(&power, 0).is_err());
        assert!(parse(&vec!["a"; 200].join("+"), 0).is_ok());
    }
}
