//! Turns expressions of a model file into values of the step or start being traced.

use std::collections::HashMap;

use glauber_lattice::{Neighbourhood, Offset};
use glauber_program::{Comparison, CountLaw, Domain, Expr, Operand, Scope, Unary};

use super::error::{Checked, problem, unknown};
use super::functions::{self, EACH, Place, THERE, WORDS};
use super::limits;
use super::sheet::{PerCell, Sheet};
use super::syntax::{Infix, Kind, Node};
use super::there::Picked;
use glauber_models::rules::is_state;

/// What to do where a rule asks for a picked site and the file picks none.
pub(crate) const NO_THERE: &str = "no other site is picked: say which one, as [update] there = \"von-neumann\", \
                                   \"anywhere\", or { neighbourhood = \"...\", towards = \"...\" }";

/// Translates expressions in one tracing.
pub(crate) struct Translator<'s> {
    pub(crate) sheet: &'s Sheet,
    pub(crate) scope: &'s Scope,
    starting: bool,
    definitions: HashMap<&'s str, Expr>,
    /// Layers whose value is no longer the one before the step: they have hopped.
    moved: HashMap<String, Expr>,
    /// The site that the step picks.
    pub(crate) picked: Option<Picked>,
    /// The neighbour that a sum is at.
    each: Option<Offset>,
    work: usize,
}

impl<'s> Translator<'s> {
    /// A translator that knows the definitions that `used` expressions need.
    pub(crate) fn new(
        sheet: &'s Sheet,
        scope: &'s Scope,
        starting: bool,
        used: &[&'s Node],
    ) -> Checked<Translator<'s>> {
        let translator = Translator {
            sheet,
            scope,
            starting,
            definitions: HashMap::new(),
            moved: HashMap::new(),
            picked: None,
            each: None,
            work: 0,
        };
        translator.with_definitions(used)
    }

    /// A translator of a step that has picked another site.
    pub(crate) fn with_picked(
        sheet: &'s Sheet,
        scope: &'s Scope,
        picked: Option<Picked>,
        used: &[&'s Node],
    ) -> Checked<Translator<'s>> {
        let (definitions, moved) = (HashMap::new(), HashMap::new());
        Translator { sheet, scope, starting: false, definitions, moved, picked, each: None, work: 0 }
            .with_definitions(used)
    }

    /// A translator of a step in which some layers have moved already.
    pub(crate) fn moved(
        sheet: &'s Sheet,
        scope: &'s Scope,
        moved: HashMap<String, Expr>,
        used: &[&'s Node],
    ) -> Checked<Translator<'s>> {
        let translator = Translator {
            sheet,
            scope,
            starting: false,
            definitions: HashMap::new(),
            moved,
            picked: None,
            each: None,
            work: 0,
        };
        translator.with_definitions(used)
    }

    fn with_definitions(mut self, used: &[&'s Node]) -> Checked<Translator<'s>> {
        let (sheet, translator) = (self.sheet, &mut self);
        for place in needed(sheet, used) {
            let definition = &sheet.definitions[place];
            let value = translator.value(&definition.node)?;
            translator.definitions.insert(&definition.name, value);
        }
        Ok(self)
    }

    /// The value of an expression at the site.
    pub(crate) fn expression(&mut self, node: &'s Node) -> Checked<Expr> {
        self.value(node)
    }

    fn value(&mut self, node: &'s Node) -> Checked<Expr> {
        self.work += 1;
        if self.work > limits::WORK {
            return problem(&node.span, "the expressions of this model are too long altogether");
        }
        match &node.kind {
            Kind::Number(x) => Ok(self.scope.number(*x)),
            Kind::Name(name) => self.name(name, node),
            Kind::Negate(a) => Ok(-self.value(a)?),
            Kind::Not(a) => Ok(1.0 - self.truth(a, "not")?),
            Kind::Infix(infix, a, b) => self.infix(*infix, a, b),
            Kind::Call(name, arguments) => self.call(name, arguments, node),
        }
    }

    /// A condition, 0 or 1; `asked_by` is what combines it or chooses by it.
    fn truth(&mut self, node: &'s Node, asked_by: &str) -> Checked<Expr> {
        let value = self.value(node)?;
        let Some(domain) = value.domain().filter(|_| !is_truth(node)) else { return Ok(value) };
        if domain.integer && domain.proves(0.0, 1.0) {
            return Ok(value);
        }
        let (lowest, highest) = (domain.lowest, domain.highest);
        let kind = match domain.integer {
            true => format!("a whole number from {lowest} to {highest}"),
            false if lowest.is_finite() && highest.is_finite() => {
                format!("a number from {lowest} to {highest}")
            }
            false => "any number".to_string(),
        };
        let message = format!(
            "`{asked_by}` asks for a condition, which is 0 or 1, but this is {kind}: compare it with a number, as in n > 0; \
             for something to happen with a probability, multiply by it"
        );
        problem(&node.span, message)
    }

    fn infix(&mut self, infix: Infix, a: &'s Node, b: &'s Node) -> Checked<Expr> {
        if matches!(infix, Infix::And | Infix::Or) {
            let word = if infix == Infix::And { "and" } else { "or" };
            let (a, b) = (self.truth(a, word)?, self.truth(b, word)?);
            return Ok(if infix == Infix::And { a * b } else { a.max(b) });
        }
        let (own, other) = (a, b);
        let (a, b) = (self.value(a)?, self.value(b)?);
        if matches!(infix, Infix::Equal | Infix::Unequal) {
            let (of_a, of_b) = (self.reach(own).or(a.domain()), self.reach(other).or(b.domain()));
            never_equal(of_a, of_b, own).or_else(|why| problem(&other.span, why))?;
            never_equal(of_b, of_a, other).or_else(|why| problem(&own.span, why))?;
        }
        let ordered = match infix {
            Infix::Less => Some((Comparison::Less, false)),
            Infix::AtMost => Some((Comparison::LessOrEqual, false)),
            Infix::Greater => Some((Comparison::Less, true)),
            Infix::AtLeast => Some((Comparison::LessOrEqual, true)),
            _ => None,
        };
        if let Some((comparison, swapped)) = ordered {
            let sides = [(a, own, other, swapped), (b, other, own, !swapped)];
            for (value, name, number, swapped) in sides {
                // What holds everywhere is no slip: a bound that is wide enough.
                let settled = written(number).and_then(|x| match self.reach(name) {
                    Some(domain) => never(domain, comparison, x, swapped),
                    None => value.settled(comparison, x, swapped),
                });
                if let Some(words) = settled.filter(|words| words.starts_with("never")) {
                    let message = format!("this comparison has one answer at every site, {words}");
                    return problem(&number.span, message);
                }
                let words = written(number).and_then(|x| match self.reach(name) {
                    Some(domain) => domain.never(comparison, x, swapped),
                    None => value.never(comparison, x, swapped),
                });
                if let (Some(words), Some(x)) = (words, written(number)) {
                    let strict = comparison == Comparison::Less;
                    let sign = match (swapped, strict) {
                        (false, true) => "<",
                        (false, false) => "<=",
                        (true, true) => ">",
                        (true, false) => ">=",
                    };
                    let name = match &name.kind {
                        Kind::Name(name) => name.clone(),
                        Kind::Call(name, _) => format!("{name}(…)"),
                        _ => "a value".to_string(),
                    };
                    value.remark(&format!(
                        "the rule asks whether {name} {sign} {x}, which holds nowhere: {words}"
                    ));
                }
            }
        }
        Ok(match infix {
            Infix::Less => a.less(b),
            Infix::AtMost => a.at_most(b),
            Infix::Greater => a.greater(b),
            Infix::AtLeast => a.at_least(b),
            Infix::Equal => a.equals(b),
            Infix::Unequal => 1.0 - a.equals(b),
            Infix::Subtract => a - b,
            Infix::Multiply => a * b,
            Infix::Divide => a / b,
            Infix::Power => a.pow(b),
            _ => a + b,
        })
    }

    /// Where a value that this lattice bounds lies, closer than its program tells.
    fn reach(&self, node: &Node) -> Option<Domain> {
        match &node.kind {
            Kind::Name(name) if self.sheet.names.kind(name).is_none() => {
                let from_last = ["x", "y", "z"].iter().position(|own| own == name);
                let length = from_last.and_then(|k| self.sheet.shape.iter().rev().nth(k));
                match (name.as_str(), length) {
                    ("time", _) => Some(Domain::integers(1.0, f64::from(u32::MAX))),
                    (_, Some(length)) => Some(Domain::integers(0.0, *length as f64 - 1.0)),
                    _ => None,
                }
            }
            Kind::Call(name, _) if name == "density" => Some(Domain::UNIT),
            _ => None,
        }
    }

    fn name(&mut self, name: &str, node: &Node) -> Checked<Expr> {
        let scope = self.scope;
        if let Some(constant) = self.sheet.constants.iter().find(|c| c.name == name) {
            return Ok(scope.number(constant.value));
        }
        match (self.sheet.names.kind(name), name) {
            (Some("parameter"), _) => Ok(scope.parameter(name)),
            (Some("covariate"), _) => Ok(scope.field(name)),
            (Some("definition"), _) => self.definition(name, node),
            (Some("layer"), _) => self.layer(name, node),
            (Some("state"), _) => {
                let message = format!("`{name}` is a state: write is({name}) or count({name})");
                problem(&node.span, message)
            }
            (Some("neighbourhood"), _) => {
                problem(&node.span, format!("`{name}` is a neighbourhood: write count(state, {name})"))
            }
            (_, "pi") => Ok(scope.number(std::f64::consts::PI)),
            (_, "time") => Ok(scope.step()),
            (_, "centre") => {
                let halves: Vec<usize> = self.sheet.shape.iter().map(|length| length / 2).collect();
                Ok(self.at_site(&halves))
            }
            (_, "x" | "y" | "z") => self.coordinate(name, node),
            (_, THERE) => problem(
                &node.span,
                "`there` is the site that the rule picks: write at(x, there) or exists(there)",
            ),
            _ => problem(&node.span, self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> String {
        if functions::named(name).is_some() {
            return format!("`{name}` is a function: write {name}(...)");
        }
        let kinds = ["parameter", "constant", "covariate", "definition", "layer"];
        let known: Vec<&str> = self.sheet.names.of(&kinds).chain(WORDS.iter().copied()).collect();
        unknown("name", name, &known)
    }

    fn definition(&self, name: &str, node: &Node) -> Checked<Expr> {
        match self.definitions.get(name) {
            Some(value) => Ok(*value),
            None => problem(
                &node.span,
                format!("definition `{name}` is used above the place where it is made: move it up"),
            ),
        }
    }

    fn layer(&self, name: &str, node: &Node) -> Checked<Expr> {
        if self.starting {
            return problem(&node.span, format!("the start cannot read layer `{name}`: it has no value yet"));
        }
        if self.sheet.layer(name).is_none() {
            return problem(&node.span, format!("`{name}` holds states: write is(state) or count(state)"));
        }
        Ok(self.occupancy(name))
    }

    /// A layer's value where its particles have moved to.
    pub(crate) fn occupancy(&self, layer: &str) -> Expr {
        self.moved.get(layer).copied().unwrap_or_else(|| self.scope.layer(layer))
    }

    fn coordinate(&self, name: &str, node: &Node) -> Checked<Expr> {
        let dimensions = self.sheet.shape.len();
        let from_last = ["x", "y", "z"].iter().position(|n| *n == name).unwrap_or(0);
        if from_last >= dimensions {
            return problem(&node.span, format!("a lattice of {dimensions} axes has no coordinate `{name}`"));
        }
        Ok(self.scope.coordinate(dimensions - 1 - from_last))
    }

    /// 1 at one site, 0 elsewhere.
    pub(crate) fn at_site(&self, site: &[usize]) -> Expr {
        let here = site.iter().enumerate().map(|(axis, at)| self.scope.coordinate(axis).equals(*at as f64));
        here.fold(self.scope.number(1.0), |all, axis| all * axis)
    }

    fn call(&mut self, name: &str, arguments: &'s [Node], node: &'s Node) -> Checked<Expr> {
        let Some(function) = functions::named(name) else {
            let known: Vec<&str> = functions::functions().map(|f| f.name).collect();
            return problem(&node.span, unknown("function", name, &known));
        };
        let (fewest, most) = function.arguments;
        if !(fewest..=most).contains(&arguments.len()) {
            let message =
                format!("{} arguments are given: {name} is written {}", arguments.len(), function.usage);
            return problem(&node.span, message);
        }
        match (function.place, self.starting) {
            (Place::Step, true) => {
                problem(&node.span, format!("{name} reads a state, and there is none yet in [start]"))
            }
            (Place::Start, false) => problem(
                &node.span,
                format!("{name} draws, which only [start] may; a rule states the probability itself"),
            ),
            (Place::Start, true) => self.draw(name, arguments),
            (Place::Step, false) => self.reading(name, arguments, node),
            (Place::Anywhere, _) => self.elementary(name, arguments),
        }
    }

    fn elementary(&mut self, name: &str, arguments: &'s [Node]) -> Checked<Expr> {
        if name == "if" {
            let condition = self.truth(&arguments[0], "if")?;
            let (yes, no) = (self.value(&arguments[1])?, self.value(&arguments[2])?);
            return Ok(condition.select(yes, no));
        }
        let values: Vec<Expr> = arguments.iter().map(|a| self.value(a)).collect::<Checked<_>>()?;
        let first = values[0];
        if let ("clamp", [_, lowest, highest]) = (name, arguments)
            && let (Some(low), Some(high)) = (written(lowest), written(highest))
            && low > high
        {
            let message = format!(
                "clamp(x, lowest, highest) keeps a value from {low} to {high}, and there is none: swap the two"
            );
            return problem(&highest.span, message);
        }
        if let Some(function) = Unary::named(name) {
            return Ok(first.unary(function));
        }
        Ok(match name {
            "min" => values[1..].iter().fold(first, |a, b| a.min(*b)),
            "max" => values[1..].iter().fold(first, |a, b| a.max(*b)),
            "clamp" => first.max(values[1]).min(values[2]),
            _ => first.ln(),
        })
    }

    fn draw(&mut self, name: &str, arguments: &'s [Node]) -> Checked<Expr> {
        let values: Vec<Expr> = arguments.iter().map(|a| self.value(a)).collect::<Checked<_>>()?;
        if let Some(law) = CountLaw::named(name) {
            let arguments: Vec<Operand> = values.into_iter().map(Operand::from).collect();
            return Ok(self.scope.count(law, &arguments));
        }
        Ok(match (name, values.as_slice()) {
            ("bernoulli", [p]) => self.scope.bernoulli(*p),
            _ => self.scope.uniform(),
        })
    }

    /// Functions of a state and of other sites.
    fn reading(&mut self, name: &str, arguments: &'s [Node], node: &'s Node) -> Checked<Expr> {
        match name {
            "is" => {
                let state = self.state(&arguments[0])?;
                Ok(self.is(state))
            }
            "density" => {
                let state = self.state(&arguments[0])?;
                Ok(self.is(state).mean())
            }
            "count" => {
                let state = self.state(&arguments[0])?;
                let neighbourhood = self.neighbourhood(arguments.get(1))?;
                Ok(self.count(state, neighbourhood))
            }
            "at" if is_there(&arguments[1]) => self.at_picked(arguments, node),
            "at" => self.displaced(arguments, node),
            "sum_each" => self.sum_each(arguments),
            "of_cell" => self.of_cell(arguments),
            "look_up" => {
                let (place, name) = (self.value(&arguments[1])?, named(&arguments[0]));
                match self.sheet.cells.lists.iter().find(|(own, _)| own == name) {
                    Some((_, list)) => Ok(self.scope.look_up(list, place)),
                    None => {
                        let known: Vec<&str> = self.sheet.names.of(&["list"]).collect();
                        problem(&arguments[0].span, unknown("list", name, &known))
                    }
                }
            }
            "exists" => match is_there(&arguments[0]) {
                false => problem(&arguments[0].span, "exists(there) asks of the site that the rule picks"),
                true => Ok(self.picked(node)?.exists),
            },
            _ => {
                let neighbourhood = self.neighbourhood(arguments.get(1))?;
                let around = self.value(&arguments[0])?.neighbours(neighbourhood);
                Ok(if name == "mean" { around.mean() } else { around.sum() })
            }
        }
    }

    fn state(&self, node: &Node) -> Checked<usize> {
        let known: Vec<&str> = self.sheet.names.of(&["state"]).collect();
        match &node.kind {
            Kind::Name(name) => match self.sheet.state(name) {
                Some(place) => Ok(place),
                None => problem(&node.span, unknown("state", name, &known)),
            },
            _ => problem(
                &node.span,
                format!("the name of a state is wanted here: one of {}", known.join(", ")),
            ),
        }
    }

    fn neighbourhood(&self, node: Option<&Node>) -> Checked<Neighbourhood> {
        let Some(node) = node else { return Ok(self.sheet.neighbourhood.clone()) };
        let name = match &node.kind {
            Kind::Name(name) => name.clone(),
            // von-neumann, read as a difference.
            Kind::Infix(Infix::Subtract, a, b) => match (&a.kind, &b.kind) {
                (Kind::Name(a), Kind::Name(b)) => format!("{a}-{b}"),
                _ => return problem(&node.span, "the name of a neighbourhood is wanted here"),
            },
            _ => return problem(&node.span, "the name of a neighbourhood is wanted here"),
        };
        self.sheet.neighbourhood_named(&name).or_else(|why| problem(&node.span, why))
    }

    /// 1 where the site is in a state.
    pub(crate) fn is(&self, state: usize) -> Expr {
        let Some(states) = &self.sheet.states else { return self.scope.number(0.0) };
        is_state(self.scope, &states.layer, states.names.len(), state)
    }

    fn count(&self, state: usize, neighbourhood: Neighbourhood) -> Expr {
        let total: f64 = neighbourhood.weights().iter().sum();
        let two = self.sheet.states.as_ref().is_some_and(|s| s.names.len() == 2);
        if two && state == 0 {
            return total - self.count(1, neighbourhood);
        }
        self.is(state).neighbours(neighbourhood).sum()
    }

    /// The site that the step picks.
    pub(crate) fn picked(&self, node: &Node) -> Checked<Picked> {
        match (self.picked, &self.sheet.applied.there) {
            (Some(picked), _) => Ok(picked),
            (None, Some(_)) => problem(
                &node.span,
                "which site is picked cannot depend on what is there: state `towards` by this site alone",
            ),
            (None, None) => problem(&node.span, NO_THERE),
        }
    }

    /// The value at the picked site.
    fn at_picked(&mut self, arguments: &'s [Node], node: &Node) -> Checked<Expr> {
        if arguments.len() > 2 {
            return problem(&node.span, "at(x, there) takes no offsets besides: the picked site is one");
        }
        let picked = self.picked(node)?;
        Ok(self.value(&arguments[0])?.at(picked.there))
    }

    /// The number of the cell with a label.
    fn of_cell(&mut self, arguments: &'s [Node]) -> Checked<Expr> {
        let (label, name) = (self.value(&arguments[1])?, named(&arguments[0]));
        match self.sheet.cells.numbers.iter().find(|(own, _)| own == name) {
            Some((_, PerCell::Given(list))) => Ok(self.scope.of_cell(list, label)),
            Some((_, PerCell::Sum { node, layer })) => {
                let value = self.value(node)?;
                Ok(self.scope.of_cell(self.scope.cell_sum(value, layer), label))
            }
            None => {
                let known: Vec<&str> = self.sheet.names.of(&["number of cells"]).collect();
                problem(&arguments[0].span, unknown("number in [cells]", name, &known))
            }
        }
    }

    /// The sum over neighbours of an expression at this site that may read each of them.
    fn sum_each(&mut self, arguments: &'s [Node]) -> Checked<Expr> {
        let neighbourhood = self.neighbourhood(arguments.get(1))?;
        let outer = self.each;
        let mut sum = self.scope.number(0.0);
        for (offset, weight) in neighbourhood.offsets().iter().zip(neighbourhood.weights()) {
            self.each = Some(*offset);
            sum = sum + self.value(&arguments[0])? * *weight;
        }
        self.each = outer;
        Ok(sum)
    }

    /// The value at a displaced site.
    fn displaced(&mut self, arguments: &'s [Node], node: &Node) -> Checked<Expr> {
        let dimensions = self.sheet.shape.len();
        let mut offset = [0; 3];
        if let ([_, each], true) = (arguments, named(&arguments[1]) == EACH) {
            let Some(own) = self.each else {
                let message = "`each` is a neighbour within sum_each: write sum_each(... at(x, each) ...)";
                return problem(&each.span, message);
            };
            offset = own;
        } else if arguments.len() != dimensions + 1 {
            let message = format!(
                "at takes an expression and {dimensions} offsets, one per axis of the lattice, or `there`"
            );
            return problem(&node.span, message);
        } else {
            for (slot, argument) in offset[3 - dimensions..].iter_mut().zip(&arguments[1..]) {
                *slot = whole(argument)?;
            }
        }
        Ok(self.value(&arguments[0])?.shift(offset))
    }
}

/// The name that a node is; nothing where it is none.
fn named(node: &Node) -> &str {
    match &node.kind {
        Kind::Name(name) => name,
        _ => "",
    }
}

fn is_there(node: &Node) -> bool {
    matches!(&node.kind, Kind::Name(name) if name == THERE)
}

/// Refuses to ask whether a value is a number that it never is.
fn never_equal(own: Option<Domain>, other: Option<Domain>, node: &Node) -> Result<(), String> {
    let (Some(value), Some(asked)) = (own, other) else { return Ok(()) };
    let constant = asked.lowest.to_bits() == asked.highest.to_bits();
    let (lowest, highest) = (value.lowest, value.highest);
    if !constant || lowest >= highest || value.within_reach(asked.lowest) {
        return Ok(());
    }
    let name = match &node.kind {
        Kind::Name(name) => format!("`{name}`"),
        _ => "this value".to_string(),
    };
    let kind = if value.integer { "a whole number" } else { "a number" };
    Err(format!("{name} is never {}: it is {kind} from {lowest} to {highest}", asked.lowest))
}

/// That a value of a domain never stands so to a number that lies beyond it, in words.
fn never(domain: Domain, comparison: Comparison, number: f64, swapped: bool) -> Option<String> {
    let Domain { lowest, highest, .. } = domain;
    let holds = |x: f64| {
        let (a, b) = if swapped { (number, x) } else { (x, number) };
        if comparison == Comparison::Less { a < b } else { a <= b }
    };
    let beyond = number < lowest || number > highest;
    (beyond && lowest < highest && !holds(lowest) && !holds(highest))
        .then(|| format!("never: the value is from {lowest} to {highest}"))
}

/// The number that stands in the file at this place.
fn written(node: &Node) -> Option<f64> {
    match &node.kind {
        Kind::Number(x) => Some(*x),
        Kind::Negate(a) => written(a).map(|x| -x),
        _ => None,
    }
}

/// A whole number written out.
fn whole(node: &Node) -> Checked<i32> {
    let value = match &node.kind {
        Kind::Number(x) => Some(*x),
        Kind::Negate(a) => match a.kind {
            Kind::Number(x) => Some(-x),
            _ => None,
        },
        _ => None,
    };
    match value {
        Some(x) if x.fract().abs() < f64::EPSILON && x.abs() <= limits::REACH as f64 => Ok(x as i32),
        _ => problem(
            &node.span,
            format!("a whole number from {} to {} is wanted here", -limits::REACH, limits::REACH),
        ),
    }
}

/// Whether an expression is 0 or 1 by its form.
fn is_truth(node: &Node) -> bool {
    match &node.kind {
        Kind::Infix(infix, ..) => infix.is_truth(),
        Kind::Not(_) => true,
        Kind::Name(name) => name == "centre",
        Kind::Call(name, _) => name == "is" || name == "bernoulli" || name == "exists",
        _ => false,
    }
}

/// The definitions that some expressions need, directly or through others, in order.
fn needed(sheet: &Sheet, used: &[&Node]) -> Vec<usize> {
    let mut wanted = vec![false; sheet.definitions.len()];
    let mark = |node: &Node, wanted: &mut Vec<bool>| {
        node.visit(&mut |n: &Node| {
            let Kind::Name(name) = &n.kind else { return };
            if let Some(place) = sheet.definitions.iter().position(|d| d.name == *name) {
                wanted[place] = true;
            }
        });
    };
    used.iter().for_each(|node| mark(node, &mut wanted));
    for place in (0..wanted.len()).rev() {
        if wanted[place] {
            mark(&sheet.definitions[place].node, &mut wanted);
        }
    }
    (0..wanted.len()).filter(|p| wanted[*p]).collect()
}
