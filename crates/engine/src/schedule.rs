//! Cuts a program into passes: a pass ends where a whole field, or a sum over it, must exist before the next begins.
//!
//! Level of a value: the pass before which everything it needs from other sites exists. A field that is read at other
//! sites is stored in the pass of its level and read one pass later; layers and other fields that exist beforehand
//! are read at once. A value wanted in several passes is recomputed where that is cheap, else stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use glauber_lattice::{Boundary, Storage};
use glauber_program::{Domain, Op, Program, Rank, Sink, ValueId, dataflow};

use glauber_backend::plane::{Margin, holds};
use glauber_program::passes::Tables;
use glauber_program::passes::{Colour, choice};

/// What one pass does, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassPlan {
    /// Site values computed, operands first.
    pub(crate) values: Vec<ValueId>,
    /// Values stored as temporaries.
    pub(crate) stores: Vec<ValueId>,
    /// Operands of sums over sites.
    pub(crate) sums: Vec<ValueId>,
    /// Results written at this pass.
    pub(crate) sinks: Vec<(Sink, ValueId)>,
    /// The colour of the sites that alone it computes; none where it computes all.
    pub(crate) colour: Option<Colour>,
}

/// A program cut into passes.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) passes: Vec<PassPlan>,
    /// For each value: before which pass it can be known.
    pub(crate) level: Vec<usize>,
    /// Stored values with how their margins are filled.
    pub(crate) temporaries: BTreeMap<ValueId, Margin>,
    /// Transposed reads on reflecting lattices: done plane by plane between passes.
    pub(crate) folded: BTreeSet<ValueId>,
    /// The layers after the update of one colour: which layer each is.
    pub(crate) updates: HashMap<ValueId, u32>,
}

/// How the margin must be filled for an instruction that reads elsewhere.
pub(crate) fn margin_of(op: &Op) -> Margin {
    match op {
        Op::Shift { transposed, .. }
        | Op::NeighbourSum { transposed, .. }
        | Op::Translate { transposed, .. } => {
            if *transposed {
                Margin::Zero
            } else {
                Margin::Lattice
            }
        }
        _ => Margin::Unread,
    }
}

/// The field that an instruction reads elsewhere.
pub(crate) fn read_elsewhere(op: &Op) -> Option<ValueId> {
    match op {
        Op::Shift { x, .. } | Op::NeighbourSum { x, .. } | Op::Translate { x, .. } => Some(*x),
        _ => None,
    }
}

/// The layer that each value is after the update of one of a step's colours, where it is one: new values at the sites of
/// the colour, and elsewhere those of the layer after the colour before.
fn updates(program: &Program) -> HashMap<ValueId, u32> {
    let mut updates = HashMap::new();
    let of_a_step = |sink: &Sink| matches!(sink, Sink::NextLayer(_) | Sink::Check(_));
    if !program.results().iter().all(|(sink, _)| of_a_step(sink)) {
        return updates;
    }
    for (sink, value) in program.results() {
        let Sink::NextLayer(layer) = sink else { continue };
        let (mut chain, mut at) = (Vec::new(), *value);
        while let Some((_, _, before)) = choice(program, at) {
            chain.push(at);
            at = before;
        }
        // A value that two layers become is one of two ranges.
        let known = chain.iter().any(|v| updates.get(v).is_some_and(|known| known != layer));
        if program.instruction(at).op == Op::Layer(*layer) && !known {
            updates.extend(chain.into_iter().map(|v| (v, *layer)));
        }
    }
    updates
}

fn is_source(op: &Op) -> bool {
    matches!(op, Op::Layer(_) | Op::Field(_) | Op::Target(_) | Op::NextAdjoint(_))
}

/// The fields of which a sum over cells is made: what is summed, and the labels.
pub(crate) fn summed_by_label(op: &Op) -> Vec<ValueId> {
    match op {
        Op::CellSum { x, labels, .. } => vec![*x, *labels],
        _ => Vec::new(),
    }
}

/// Whether a sum over cells finds a field in place, or one number for all sites.
fn exists_beforehand(program: &Program, given: &BTreeMap<ValueId, u32>, x: ValueId) -> bool {
    let op = &program.instruction(x).op;
    given.contains_key(&x) || is_source(op) || matches!(op, Op::Spread(_))
}

/// Whether a source's storage holds what stands beyond the lattice's fixed edges. A field may be given in bytes.
fn holds_edges(program: &Program, source: &Op) -> bool {
    let storage = match source {
        Op::Layer(i) | Op::Target(i) => program.declarations().layers[*i as usize].values.storage(),
        _ => Storage::U8,
    };
    program.declarations().lattice.boundaries().into_iter().all(|b| match b {
        Boundary::Fixed(value) => holds(storage, Domain::point(value)),
        _ => true,
    })
}

/// Cuts a program; `given` values exist beforehand, like layers.
pub(crate) fn schedule(program: &Program, tables: &Tables, given: &BTreeMap<ValueId, u32>) -> Schedule {
    let boundaries = program.declarations().lattice.boundaries();
    let periodic = boundaries.iter().all(|b| *b == Boundary::Periodic);
    let reflecting = boundaries.contains(&Boundary::Reflecting);
    let mut folded = BTreeSet::new();
    let updates = if given.is_empty() { updates(program) } else { HashMap::new() };
    let mut level = vec![0; program.instructions().len()];
    let mut direct = vec![false; program.instructions().len()];
    for (index, instruction) in program.instructions().iter().enumerate() {
        let op = &instruction.op;
        let mut own = 0;
        if given.contains_key(&ValueId(index as u32)) {
            continue;
        }
        if let Some(x) = read_elsewhere(op) {
            let source = &program.instruction(x).op;
            let natural = if matches!(source, Op::NextAdjoint(_)) && !given.contains_key(&x) {
                Margin::Zero
            } else {
                Margin::Lattice
            };
            let folds = reflecting && margin_of(op) == Margin::Zero;
            let exists = given.contains_key(&x)
                || (is_source(source) && (natural == Margin::Zero || holds_edges(program, source)));
            direct[index] = exists && (periodic || natural == margin_of(op)) && !folds;
            if folds {
                folded.insert(ValueId(index as u32));
            }
            op.visit(|v| own = own.max(level[v.index()]));
            if !direct[index] {
                own = own.max(level[x.index()] + 1);
            }
        } else if let Op::CellSum { at, .. } = op {
            own = level[at.index()];
            for x in summed_by_label(op) {
                let stored = !exists_beforehand(program, given, x);
                own = own.max(level[x.index()] + usize::from(stored));
            }
        } else if let Op::SiteSum(x) = op {
            own = level[x.index()] + 1;
        } else {
            op.visit(|v| own = own.max(level[v.index()]));
        }
        // What is made of a layer after a colour's update is made when that has ended.
        op.visit(|v| {
            if updates.contains_key(&v) {
                own = own.max(level[v.index()] + 1);
            }
        });
        level[index] = own;
    }
    let mut plan = Planner {
        program,
        tables,
        given,
        level: &level,
        direct: &direct,
        folded: &folded,
        updates: &updates,
    };
    let (passes, temporaries) = plan.passes();
    Schedule { passes, level, temporaries, folded, updates }
}

/// Where a depth-first way through a program stands.
enum Visit {
    /// Before a value's operands.
    Enter(ValueId),
    /// Behind them.
    Leave(ValueId),
}

struct Planner<'p> {
    program: &'p Program,
    tables: &'p Tables,
    given: &'p BTreeMap<ValueId, u32>,
    level: &'p [usize],
    direct: &'p [bool],
    folded: &'p BTreeSet<ValueId>,
    updates: &'p HashMap<ValueId, u32>,
}

impl Planner<'_> {
    fn passes(&mut self) -> (Vec<PassPlan>, BTreeMap<ValueId, Margin>) {
        let live = self.live();
        let count = self.level.iter().zip(&live).filter(|(_, l)| **l).map(|(l, _)| *l).max().unwrap_or(0) + 1;
        let mut passes: Vec<PassPlan> = vec![PassPlan::default(); count];
        let mut temporaries: BTreeMap<ValueId, Margin> = BTreeMap::new();
        let made = |i: usize| live[i] && !self.given.contains_key(&ValueId(i as u32));
        for (index, instruction) in self.program.instructions().iter().enumerate().filter(|(i, _)| made(*i)) {
            for update in self.operands(ValueId(index as u32)) {
                if self.updates.contains_key(&update) {
                    temporaries.entry(update).or_insert(Margin::Unread);
                }
            }
            match &instruction.op {
                Op::SiteSum(x) if !passes[self.level[x.index()]].sums.contains(x) => {
                    passes[self.level[x.index()]].sums.push(*x);
                }
                op @ Op::CellSum { .. } => {
                    for x in summed_by_label(op) {
                        if !exists_beforehand(self.program, self.given, x) {
                            temporaries.entry(x).or_insert(Margin::Unread);
                        }
                    }
                }
                op => {
                    if let Some(x) = read_elsewhere(op).filter(|_| !self.direct[index]) {
                        let margin = if self.folded.contains(&ValueId(index as u32)) {
                            Margin::Unread
                        } else {
                            margin_of(op)
                        };
                        let slot = temporaries.entry(x).or_insert(margin);
                        if *slot == Margin::Unread {
                            *slot = margin;
                        }
                    }
                }
            }
        }
        for (sink, value) in self.program.results() {
            let site = self.program.instruction(*value).rank == Rank::Site;
            if site || matches!(sink, Sink::NextLayer(_) | Sink::LayerAdjoint(_) | Sink::FieldAdjoint(_)) {
                passes[self.level[value.index()]].sinks.push((*sink, *value));
            }
        }
        // What is folded is a temporary already.
        for value in temporaries.keys().filter(|v| !self.folded.contains(*v)) {
            passes[self.level[value.index()]].stores.push(*value);
        }
        for pass in &mut passes {
            pass.colour = self.colour(pass);
        }
        self.assign(&mut passes, &mut temporaries);
        (passes, temporaries)
    }

    /// The one colour whose sites are all that a pass need compute: all that it leaves are updates of that colour, checks
    /// at its sites, and layers as they were.
    fn colour(&self, pass: &PassPlan) -> Option<Colour> {
        let stored = pass.stores.iter().map(|v| (None, *v));
        let left = stored.chain(pass.sinks.iter().map(|(sink, v)| (Some(*sink), *v)));
        let mut colour = None;
        for (sink, value) in left {
            if matches!(sink, Some(Sink::NextLayer(_)))
                && matches!(self.program.instruction(value).op, Op::Layer(_))
            {
                continue;
            }
            let (own, _, other) = choice(self.program, value)?;
            let is_check = matches!(sink, Some(Sink::Check(_)));
            let fits = match is_check {
                true => self.program.instruction(other).rank != Rank::Site,
                false => self.updates.contains_key(&value),
            };
            if !fits || *colour.get_or_insert(own) != own {
                return None;
            }
        }
        colour.filter(|_| pass.sums.is_empty())
    }

    /// The values that a pass is for.
    fn roots(&self, pass: &PassPlan) -> Vec<ValueId> {
        let mut roots: Vec<ValueId> = pass.stores.clone();
        roots.extend(&pass.sums);
        roots.extend(pass.sinks.iter().map(|(_, v)| *v));
        if pass.colour.is_some() {
            // Of an update the new values; other sites, and layers that stay, are copied.
            roots =
                roots.into_iter().filter_map(|v| choice(self.program, v).map(|(_, own, _)| own)).collect();
        }
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// Values that something outside tables reads.
    fn live(&self) -> Vec<bool> {
        let results = self.program.results().iter().map(|(_, value)| *value);
        dataflow::needed(self.program.instructions().len(), results, |v| self.operands(v))
    }

    /// What a value is computed from: the keys of its table, or its operands; nothing where it is given.
    fn operands(&self, value: ValueId) -> Vec<ValueId> {
        if self.given.contains_key(&value) {
            return Vec::new();
        }
        match self.tables.table_of(value) {
            Some(table) => table.keys.iter().map(|k| k.value).collect(),
            None => self.program.instruction(value).op.operands(),
        }
    }

    /// Site values a pass would compute for a value, without crossing to other sites.
    fn local_operands(&self, value: ValueId) -> Vec<ValueId> {
        let op = &self.program.instruction(value).op;
        if let (Op::CellSum { at, .. }, false) = (op, self.given.contains_key(&value)) {
            return Some(*at)
                .filter(|v| self.program.instruction(*v).rank == Rank::Site)
                .into_iter()
                .collect();
        }
        if self.given.contains_key(&value) || op.reads_elsewhere() || matches!(op, Op::SiteSum(_)) {
            return Vec::new();
        }
        let site = |v: &ValueId| self.program.instruction(*v).rank == Rank::Site;
        self.operands(value).into_iter().filter(site).collect()
    }

    fn assign(&self, passes: &mut [PassPlan], temporaries: &mut BTreeMap<ValueId, Margin>) {
        // In which pass is each value wanted first? What it is computed from is wanted there too, if not before.
        let mut wanted_in: HashMap<ValueId, usize> = HashMap::new();
        for (number, pass) in passes.iter().enumerate() {
            if pass.colour.is_some() {
                // What it computes is right at its own sites alone; what it stores is whole.
                wanted_in.extend(pass.stores.iter().map(|v| (*v, number)));
                continue;
            }
            let mut open = self.roots(pass);
            while let Some(value) = open.pop() {
                let is_site = self.program.instruction(value).rank == Rank::Site;
                if is_site && !wanted_in.contains_key(&value) {
                    wanted_in.insert(value, number);
                    open.extend(self.local_operands(value));
                }
            }
        }
        for number in (0..passes.len()).rev() {
            let mut order = Vec::new();
            let mut done = BTreeSet::new();
            for root in self.roots(&passes[number]) {
                self.order(root, number, &wanted_in, temporaries, &mut done, &mut order, passes);
            }
            passes[number].values = order;
        }
    }

    /// Appends a value's operands and then the value, depth first; where it exists from an earlier pass, only itself.
    /// The way is kept in a list, not on the stack, so that a rule may be of any length.
    #[allow(clippy::too_many_arguments)]
    fn order(
        &self,
        root: ValueId,
        pass: usize,
        wanted_in: &HashMap<ValueId, usize>,
        temporaries: &mut BTreeMap<ValueId, Margin>,
        done: &mut BTreeSet<ValueId>,
        order: &mut Vec<ValueId>,
        passes: &mut [PassPlan],
    ) {
        let mut open = vec![Visit::Enter(root)];
        while let Some(visit) = open.pop() {
            let value = match visit {
                Visit::Leave(value) => {
                    order.push(value);
                    continue;
                }
                Visit::Enter(value) => value,
            };
            if self.program.instruction(value).rank != Rank::Site || !done.insert(value) {
                continue;
            }
            let first = wanted_in.get(&value).copied().unwrap_or(pass);
            let kept = temporaries.contains_key(&value);
            if self.folded.contains(&value) || (first < pass && kept) {
                order.push(value);
                continue;
            }
            if first < pass && passes[pass].colour.is_none() && !self.is_cheap(value, &mut 3) {
                temporaries.insert(value, Margin::Unread);
                passes[first].stores.push(value);
                order.push(value);
                continue;
            }
            open.push(Visit::Leave(value));
            open.extend(self.local_operands(value).into_iter().rev().map(Visit::Enter));
        }
    }

    /// Whether recomputing a value takes at most `budget` kernels.
    fn is_cheap(&self, value: ValueId, budget: &mut i32) -> bool {
        let op = &self.program.instruction(value).op;
        *budget -= match op {
            _ if self.given.contains_key(&value) => 1,
            Op::Uniform { .. } | Op::Centred { .. } | Op::Count { .. } | Op::Normal(..) => 10,
            Op::NeighbourSum { .. } | Op::Translate { .. } | Op::Shift { .. } | Op::CellSum { .. } => 4,
            _ => 1,
        };
        *budget >= 0 && self.local_operands(value).into_iter().all(|v| self.is_cheap(v, budget))
    }
}
