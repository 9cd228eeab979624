//! Says what is wrong with a model, in the modeller's own names.

/// What is wrong with a model, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// A name that was never declared.
    #[error("model `{model}` has no {kind} called `{name}`{}", hint(.nearest, .known))]
    UnknownName {
        /// The model.
        model: String,
        /// "layer", "parameter", "field" …
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// The declared name most like it.
        nearest: Option<String>,
        /// All declared names.
        known: Vec<String>,
    },
    /// A name declared twice.
    #[error("model `{model}` declares the {kind} `{name}` twice: give each its own name")]
    Duplicate {
        /// The model.
        model: String,
        /// "layer", "parameter", "field" …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A name that is none.
    #[error(
        "model `{model}` declares a {kind} by the name {name:?}, which is none: give it one of at least one letter"
    )]
    NoName {
        /// The model.
        model: String,
        /// What was given.
        name: String,
        /// "layer", "parameter", "field" …
        kind: &'static str,
    },
    /// Two states that no picture tells apart.
    #[error(
        "model `{model}` draws the states `{one}` and `{other}` of layer `{layer}` in the same colour, {colour}: give each its \
         own"
    )]
    SameColour {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// One state.
        one: String,
        /// The other.
        other: String,
        /// The colour.
        colour: String,
    },
    /// Colours for more states than the layer has.
    #[error(
        "model `{model}` gives {found} colours to layer `{layer}`, which has {states} states: binary layers have two, \
         layers of named states as many as names, others are drawn along a scale"
    )]
    Colours {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// How many states it has.
        states: usize,
        /// How many colours were given.
        found: usize,
    },
    /// An output that is a number for every site.
    #[error(
        "model `{model}`: the output `{name}` has a value at every site, but an output is one number per replicate: take its \
         sum() or mean() over all sites"
    )]
    OutputPerSite {
        /// The model.
        model: String,
        /// The output.
        name: String,
    },
    /// A step that does not say what a layer becomes.
    #[error(
        "the {stage} of model `{model}` does not say what layer `{layer}` becomes: end it with \
         next(\"{layer}\"); a layer that stays as it is needs next(\"{layer}\").set(layer(\"{layer}\"))"
    )]
    NoNext {
        /// The model.
        model: String,
        /// "step" or "start".
        stage: &'static str,
        /// The layer.
        layer: String,
    },
    /// A layer whose next value is said twice.
    #[error("the step of model `{model}` says twice what layer `{layer}` becomes: say it once")]
    NextTwice {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
    },
    /// A value beyond the edges that a layer cannot have.
    #[error(
        "model `{model}` says that layer `{layer}` ({values}) is {value} beyond the edges, which it cannot hold: give one of \
         its values"
    )]
    Edge {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// What it may hold.
        values: String,
        /// What was given.
        value: f64,
    },
    /// A next value that can never be one of the layer's.
    #[error(
        "model `{model}` gives layer `{layer}` ({values}) values between {lowest} and {highest}, which it cannot hold: \
         widen the layer's range or correct the rule"
    )]
    OutOfRange {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// Its declared range.
        values: String,
        /// The least the rule gives.
        lowest: f64,
        /// The most the rule gives.
        highest: f64,
    },
    /// A value of one tracing used in another.
    #[error(
        "a value of another model, or of a step that is already finished, was used in `{model}`: \
         build every expression from the handles of the step it belongs to"
    )]
    ForeignValue {
        /// The model whose step used it.
        model: String,
    },
    /// A direction that differs from site to site.
    #[error(
        "model `{model}`: translate moves a whole plane, so its direction must be one number per replicate; \
         draw it with replicate_categorical"
    )]
    DirectionPerSite {
        /// The model.
        model: String,
    },
    /// Something given with the wrong number of members.
    #[error("model `{model}`: {what} needs {wanted}, not {found}")]
    Count {
        /// The model.
        model: String,
        /// What was given.
        what: &'static str,
        /// How many it needs.
        wanted: String,
        /// How many there were.
        found: usize,
    },
    /// An argument of a draw that is none wherever the rule runs.
    #[error("model `{model}`: {complaint}")]
    Argument {
        /// The model.
        model: String,
        /// What is wrong with it.
        complaint: String,
    },
    /// A state that a value never is.
    #[error(
        "model `{model}`: {what} is asked whether it is {asked}, but it is {values}: the answer is always no"
    )]
    NoSuchState {
        /// The model.
        model: String,
        /// What is asked.
        what: String,
        /// For which state.
        asked: String,
        /// What it can be.
        values: String,
    },
    /// A neighbourhood that means nothing on the model's lattice.
    #[error("model `{model}`: {why}")]
    Neighbourhood {
        /// The model.
        model: String,
        /// What is wrong, and what to do about it.
        why: String,
    },
    /// More instructions, or more draws, than a program may have.
    #[error("the rule of model `{model}` is too long: {what}; {most} are the most")]
    TooLong {
        /// The model.
        model: String,
        /// What there is too much of.
        what: String,
        /// How many there may be.
        most: usize,
    },
    /// A layer read where none exists yet.
    #[error(
        "the start of model `{model}` reads layer `{layer}`, which has no value yet: use parameters, coordinates and draws"
    )]
    LayerInStart {
        /// The model.
        model: String,
        /// The layer.
        layer: String,
    },
    /// An observed next value read by a simulation.
    #[error(
        "a step or start of model `{model}` reads the observed next state, which does not exist while it runs: \
         use observed_next only within revealed_by"
    )]
    ObservedInStep {
        /// The model.
        model: String,
    },
    /// An interval without room.
    #[error(
        "model `{model}`: the interval [{lowest}, {highest}] of `{name}` is empty: give lowest < highest"
    )]
    EmptyInterval {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
        /// Its lower end.
        lowest: f64,
        /// Its upper end.
        highest: f64,
    },
    /// A rule that cannot be applied as its update scheme says.
    #[error("model `{model}` with update = \"{update}\": {why}")]
    Scheme {
        /// The model.
        model: String,
        /// The scheme.
        update: &'static str,
        /// What stands in the way, and what to do about it.
        why: String,
    },
    /// Something said of cells that means nothing.
    #[error("model `{model}`: {why}")]
    Cells {
        /// The model.
        model: String,
        /// What is wrong, and what to do about it.
        why: String,
    },
    /// A site that is picked where no rule is applied.
    #[error(
        "model `{model}`: {what} stands in a start or an observation, but only a step may pick sites: leave it out"
    )]
    PickOutsideStep {
        /// The model.
        model: String,
        /// What picks.
        what: String,
    },
    /// Rates stated more than once.
    #[error(
        "the step of model `{model}` states rates twice, but an event is one transition: give all rates of a site in one \
         list, rates([a, b, …])"
    )]
    RatesTwice {
        /// The model.
        model: String,
    },
    /// A highest sum of rates that differs from site to site.
    #[error(
        "model `{model}`: the highest sum of rates must be one number for the whole run: make it of parameters and numbers"
    )]
    FastestPerSite {
        /// The model.
        model: String,
    },
    /// A transform that this model does not admit.
    #[error("model `{model}` has no exact likelihood: {why}")]
    NoLikelihood {
        /// The model.
        model: String,
        /// What stands in the way, and what serves instead.
        why: String,
    },
}

fn hint(nearest: &Option<String>, known: &[String]) -> String {
    match nearest {
        Some(name) => format!(": did you mean `{name}`?"),
        None if known.is_empty() => ": it declares none".into(),
        None => format!(": it has {}", known.join(", ")),
    }
}

/// The name most like `wanted`, where one is like it.
pub fn nearest_name<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(wanted, name), name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.75).then(|| best.1.to_string())
}

/// The error for a name that was never declared.
pub(crate) fn unknown<'a>(
    model: &str,
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> ModelError {
    ModelError::UnknownName {
        model: model.to_string(),
        kind,
        name: name.to_string(),
        nearest: nearest_name(name, known.clone()),
        known: known.map(str::to_string).collect(),
    }
}
